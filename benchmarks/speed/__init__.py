"""How fast the suite itself is."""
