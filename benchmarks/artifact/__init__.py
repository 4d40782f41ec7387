"""What ships, as one file of bytes."""
