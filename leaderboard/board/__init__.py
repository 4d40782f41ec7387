"""The board: which records may be compared, and what comes out."""
