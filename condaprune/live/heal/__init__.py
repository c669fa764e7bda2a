"""Verifies a run in place, and heals one that fails: evidence first, then search."""
