"""Every block of code in the pages that can run is run or checked; links lead somewhere.

Commands are parsed by the real command line. Those that only need an environment are run on a
small synthetic prefix, which takes the place of ``/env``.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest

from condaprune.errors import CondapruneError
from condaprune.report.audit.budget import load_budget
from condaprune.request.config import Config, load_config
from condaprune.request.request import Request
from condaprune.request.rules import choose_rules
from condaprune.ruleset.check import check_rules
from condaprune.ruleset.format import RetiredFile
from condaprune.ruleset.load import parse_rules
from condaprune.ruleset.validate import read
from tests.cli.runner import condaprune
from tests.docs.blocks import (
    ROOT,
    Block,
    anchors,
    blocks,
    check_dockerfile,
    condaprune_commands,
    links,
    pages,
    parse,
)
from tests.trees import SITE, distribution, make_prefix

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HEAD = """[[rule]]
id = "example"
why = "Text."
breaks = ["Text."]
risk = "low"
category = "tests"
references = ["https://example.org/"]
"""
RULE_EXAMPLES = '[rule.examples]\nremoved = ["a"]\nkept = ["b"]\n'
# Sub-commands that run no code of the environment and need no file but the ones of `folder`.
RUNNABLE = ("prune", "explain", "rules", "audit", "why", "status", "diff")
NEEDS_MORE = ("--trace", "--verify", "--config", "--rules", "--unused", "--base", "--heal",
              "--select", "--set", "--manifest", "--only-packages", "--drop-package")  # fmt: skip
_PAGES = pytest.mark.parametrize(
    "page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix()
)


def _blocks(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", blocks(*languages), ids=str)


def make_env(root: Path) -> Path:
    files = {**distribution("pandas", {"pandas/__init__.py": b"", "pandas/_testing.py": b""}),
             "lib/libssl.so.3": b"", "lib/libz.a": b"x" * 2000,
             f"{SITE}/pandas/__pycache__/__init__.cpython-311.pyc": b"x" * 500}  # fmt: skip
    owned = [path for path in files if not path.startswith("lib/lib")]
    return make_prefix(root, files, packages={"pandas": owned, "zlib": ["lib/libz.a"]})


@_blocks("console", "sh", "bash")
def test_commands(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = make_env(tmp_path / "env")
    make_env(tmp_path / "env.before")
    archive = condaprune(env, "-o", "env.tar.gz", "--keep", "*", "--quiet")
    assert archive.status == 0, archive.err
    text = block.text
    if block.language == "console":
        prompts = re.findall(r"^\$ (?:.*\\\n)*.*$", text, re.MULTILINE)
        assert prompts, f"{block}: a console block has commands, after `$ `"
        text = "\n".join(prompts)
    for words in condaprune_commands(text):
        try:
            parse(words)
        except click.ClickException as error:
            pytest.fail(f"{block}: condaprune {' '.join(words)}: {error.format_message()}")
        name = words[0] if words[0] in (*RUNNABLE, "verify", "trace", "check", "undo") else "prune"
        if name not in RUNNABLE or any(word.startswith(NEEDS_MORE) for word in words):
            continue
        stand_in = {"ENV": str(env), "A": "env.before", "B": "env", "PACKAGE": "pandas"}
        given = [stand_in.get(word, re.sub(r"^/env\b", str(env), word)) for word in words]
        inputs = [word for word in given if word.endswith((".json", ".toml"))]
        if inputs and not all(Path(word).exists() for word in inputs):
            continue
        ran = condaprune(*given, *(["--force"] if name == "prune" and "-o" in given else []))
        assert ran.status == 0, f"{block}: condaprune {' '.join(words)}\n{ran.err}"


def test_commands_in_indented_blocks() -> None:
    for page in pages():
        text = "\n".join(re.findall(r"^    (condaprune .*)$", page.read_text("utf-8"), re.M))
        for words in condaprune_commands(text):
            parse(words)


@_blocks("toml")
def test_toml(block: Block, tmp_path: Path) -> None:
    data = tomllib.loads(block.text)
    try:
        if "retired" in data:
            read(RetiredFile, data)
        elif "rule" in data and isinstance(data["rule"], list):
            assert not check_rules(parse_rules(block.text, str(block)))
        elif "remove" in data:
            head, table, tail = block.text.partition("[rule.parameters")
            parse_rules(f"{HEAD}{head}{RULE_EXAMPLES}{table}{tail}", str(block))
        else:
            name = "pyproject.toml" if "tool" in data else "condaprune.toml"
            (tmp_path / name).write_text(block.text, encoding="utf-8")
            config = load_config(str(tmp_path / name))
            _check_names(config)
            if "budget" in data:
                load_budget(str(tmp_path / name))
    except CondapruneError as error:
        pytest.fail(f"{block}: {error}")


def _check_names(config: Config) -> None:
    """Its profiles, rules and categories exist. Errors: `RuleError`, `ConfigError`."""
    values = config.values
    for profile in (values.profile or "runtime", *values.profiles):
        request = Request(profile=profile).configured(config)
        choose_rules(replace(request, rule_files=()))


@_PAGES
def test_commands_of_the_checkout(page: Path) -> None:
    """Benchmarks and targets of make that pages name are there, with the options they name."""
    text = page.read_text("utf-8")
    for module, rest in re.findall(r"python -m ((?:benchmarks|lab)[\w.]*)([^`\n#]*)", text):
        found = importlib.util.find_spec(module)
        assert found is not None, f"{page.name}: python -m {module}"
        if found.submodule_search_locations:
            found = importlib.util.find_spec(f"{module}.__main__")
        assert found is not None
        assert found.origin is not None
        source = Path(found.origin).read_text("utf-8")
        for option in re.findall(r"--[\w-]+", rest):
            assert f'"{option}"' in source, f"{page.name}: python -m {module} {option}"
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:`|^\$ |^)make (\w+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"{page.name}: make {target}"


@_blocks("python")
def test_python(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled; its imports are made; a block that imports condaprune's front door alone is run."""
    tree = ast.parse(block.text, str(block))
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(imports, []), str(block), "exec"), {})
    if all(isinstance(node, ast.ImportFrom) and node.module == "condaprune" for node in imports):
        monkeypatch.chdir(tmp_path)
        env = make_env(tmp_path / "env")
        exec(compile(block.text.replace("/env", str(env)), str(block), "exec"), {})


@_blocks("yaml")
def test_yaml(block: Block) -> None:
    """The inputs of the action and the hooks of pre-commit that blocks name are there."""
    action = (ROOT / "action.yml").read_text("utf-8")
    inputs = set(re.findall(r"^  (\w+):$", action.partition("\noutputs:")[0], re.M))
    given = set(re.findall(r"^ {4}(\w+): ", block.text, re.M)) if "with:" in block.text else set()
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    named = set(re.findall(r"- id: ([\w-]+)", block.text))
    assert given or named
    assert given <= inputs
    assert named <= set(re.findall(r"- id: ([\w-]+)", hooks))


def test_every_language_is_checked() -> None:
    """`text` is output, and so is what stands below the commands of `console`."""
    known = {"console", "sh", "bash", "toml", "python", "dockerfile", "yaml", "text"}
    used = {
        language
        for page in pages()
        for language in re.findall(r"^```(\w*)\n.*?^```$", page.read_text("utf-8"), re.M | re.S)
    }
    assert used <= known


@_blocks("dockerfile")
def test_dockerfile_blocks(block: Block) -> None:
    assert check_dockerfile(block.text) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs").rglob("*Dockerfile")), ids=lambda path: path.name
)
def test_dockerfiles(path: Path) -> None:
    assert check_dockerfile(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nENTRYPOINT python app.py\n", "not in exec form: ENTRYPOINT python app.py"),
        ("FROM a\nCOPPY a b\n", "not an instruction: COPPY a b"),
        ("FROM a\nCOPY --from=x a b\n", "copies from an unknown stage: COPY --from=x a b"),
        ("FROM a\nRUN x && condaprune /env --nope\n", "x && condaprune /env --nope: No such"),
    ],
)
def test_wrong_dockerfiles_are_seen(text: str, expected: str) -> None:
    (found,) = check_dockerfile(text)
    assert found.startswith(expected)


@_PAGES
def test_links(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        where = (page.parent / path).resolve() if path else page
        name = page.relative_to(ROOT)
        # Pages that only the site has lead nowhere for whoever reads the repository.
        assert where.exists(), f"{name}: {target} leads nowhere"
        if anchor and where.suffix == ".md":
            assert anchor in anchors(where), f"{name}: {target} leads to no heading"
