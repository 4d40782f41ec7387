"""Records: what they hold, how they are read and written, and where they lie. Imports nothing else of the board."""
