"""What stops a program before it has done anything."""


class UsageError(ValueError):
    """The user's mistake: one line that names the flag, file or field, and what would be right."""
