"""Nets, one a file. How one is written, named and stored: `tasks/nets/spec.py`."""
