"""The example Dockerfiles, built."""
