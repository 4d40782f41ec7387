"""Peak memory of a compiled program."""

from typing import Any


def memory(compiled: Any) -> int:
    """Returns the peak bytes of a compiled program: arguments + outputs + temporaries - what aliases.

    The temporaries are those of XLA's buffer assignment, after reuse. XLA's own peak field is not used: it means
    different things on different backends.
    """
    stats = compiled.memory_analysis()
    held = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.temp_size_in_bytes
    return int(held - stats.alias_size_in_bytes)
