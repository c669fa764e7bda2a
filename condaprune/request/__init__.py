"""What a project sets once: ``condaprune.toml`` or ``[tool.condaprune]`` in pyproject.toml."""
