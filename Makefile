# Two commands for a fresh machine: `make demo` and `make test`. Each makes its own virtual
# environment and needs nothing but Python >= 3.10 with venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test lint fuzz bench docs images pyz recipe release clean

help:
	@echo "make demo   build a small real environment, prune it, prove that it still runs"
	@echo "make test   all tests, in a virtual environment of their own"
	@echo "make lint   ruff and mypy --strict"
	@echo "make fuzz   random input for all readers, ten minutes each; FUZZ_ARGS='--seconds 3600 tar'"
	@echo "make bench  all benchmarks, against the tools used today; half an hour; writes docs/benchmarks.md"
	@echo "make pyz    condaprune as a single file, dist/condaprune.pyz"
	@echo "make images container images, by buildah (apt), against those of a pasted recipe"
	@echo "make recipe condaprune as a conda package, in dist/conda"
	@echo "make docs   the documentation as a site, in site/"
	@echo "make release  wheel, sdist, single file and conda package in dist/; publishes nothing"

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group test --group lint
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m lab.demo

test: $(STAMP)
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered -n 2 $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fuzz: $(STAMP)
	$(BIN)/python -m fuzz --seconds 600 $(FUZZ_ARGS)

bench: $(STAMP)
	$(BIN)/python -m benchmarks.suite $(BENCH_ARGS)
	$(BIN)/python -m benchmarks.picture

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m mkdocs build --strict

images: $(STAMP)
	$(BIN)/python -m lab.docker $(IMAGES_ARGS)

pyz: $(STAMP)
	$(BIN)/python tools/make_pyz.py dist/condaprune.pyz

recipe: $(STAMP)
	$(BIN)/python -m pip install --quiet --group recipe
	$(BIN)/python tools/make_conda.py dist/conda

release: $(STAMP)
	$(BIN)/python -m pip install --quiet --group recipe --group release
	$(BIN)/python tools/release.py $(RELEASE_ARGS)

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
