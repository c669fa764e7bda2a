"""Records of what a real run used of an environment."""
