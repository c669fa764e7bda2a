"""``python -m condaprune``."""

from condaprune.cli import main

if __name__ == "__main__":
    main()
