"""What a project sets once: ``condaprune.toml`` or ``[tool.condaprune]`` in pyproject.toml."""

from condaprune.config.load import Config, apply_suppressions, find_config, load_config

__all__ = ["Config", "apply_suppressions", "find_config", "load_config"]
