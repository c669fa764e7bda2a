"""Conda packages made of what the machine has: its CPython, its Debian libraries, PyPI wheels."""
