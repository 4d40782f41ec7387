"""A recorded run made again, and compared."""
