"""Images by the example Dockerfiles and by a pasted recipe, built and compared."""
