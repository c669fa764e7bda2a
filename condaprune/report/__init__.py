"""Plans and outcomes as text and JSON."""
