"""The differential proof: what worked before still works."""
