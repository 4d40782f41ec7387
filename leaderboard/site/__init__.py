"""The board as one self-contained page: the records' figures, the scripts that show them and a plotting library."""
