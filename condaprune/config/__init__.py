"""What a project sets once: ``condaprune.toml`` or ``[tool.condaprune]`` in pyproject.toml.

`condaprune.config.find` is light and always used; `condaprune.config.load` parses, and is imported
only where there is a configuration.
"""
