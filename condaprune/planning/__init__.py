"""The plan of an environment under a request, and the account of it."""
