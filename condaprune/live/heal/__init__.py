"""Finds what a failed verification misses: evidence first, then search."""
