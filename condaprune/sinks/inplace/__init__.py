"""The journal of an in-place run: written before the first change, so that no run ends halfway."""
