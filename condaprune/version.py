"""The version of condaprune: of the wheel, of what it writes, of what it prints."""

__version__ = "0.1.0"
