"""The version of condaprune, and where it lives: for the wheel, messages, and what it writes."""

__version__ = "0.1.0"

# Written from project.toml: address
ADDRESS = ""
# end: address
"""The public repository; empty while there is none."""

DOCS = ADDRESS or "docs/index.md of condaprune's source"
"""Where the documentation is, as help says it."""
