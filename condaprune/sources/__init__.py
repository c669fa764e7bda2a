"""The sources of environments: prefixes, archives, path lists."""
