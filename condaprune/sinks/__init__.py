"""What a plan is carried out on: the prefix itself, an archive, a folder. Only sinks write."""
