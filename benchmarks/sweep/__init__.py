"""Jobs run, stored and put together: the grid of a config."""
