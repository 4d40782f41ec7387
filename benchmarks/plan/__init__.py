"""From what is asked, a config, to jobs."""
