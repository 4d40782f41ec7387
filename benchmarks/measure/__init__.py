"""What an artifact is and does: each column of a result."""
