"""The application of the example Dockerfiles: tells who it is, by what the environment gives it."""

import json
import os
import sys

import click


def main() -> None:
    told = {"uid": os.getuid(), "prefix": sys.prefix, "click": click.Command("app").name}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
