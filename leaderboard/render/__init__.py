"""The board as pages, text and files."""
