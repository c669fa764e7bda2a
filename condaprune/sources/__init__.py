"""What an environment is read from: a prefix, an archive, a named environment."""
