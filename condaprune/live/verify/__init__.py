"""The differential proof: everything that worked before still works."""
