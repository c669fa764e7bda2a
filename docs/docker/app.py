"""The application of the example Dockerfiles: prints its user, its prefix and an import."""

import json
import os
import sys

import click


def main() -> None:
    facts = {"uid": os.getuid(), "prefix": sys.prefix, "click": click.Command("app").name}
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
