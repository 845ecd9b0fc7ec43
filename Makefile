# Needs Python 3.11 or newer, with pip, and make. Every command does its own set-up, in .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq

.DEFAULT_GOAL := help
.PHONY: help tour test oracle bench lint format clean

tour: $(VENV)/.ready  ## a guided walk through Crowsfoot, in the terminal
	@$(BIN)/crowsfoot tour

test: $(VENV)/.ready-to-develop  ## all tests; other options of pytest: make test ARGS="-k cohort -x"
	@$(BIN)/python -m pytest -n auto $(ARGS)

# The same rows are asked the same by Django: random querysets, on SQLite and PostgreSQL. Needs Python 3.12.
EXAMPLES ?= 5000
SEED ?= 1
oracle: $(VENV)/.ready-to-develop  ## 5,000 random querysets against Django: make oracle EXAMPLES=500 SEED=7
	@ORACLE_EXAMPLES=$(EXAMPLES) ORACLE_SEED=$(SEED) $(BIN)/python -m pytest tests/oracle -q -rs $(ARGS)

bench: $(VENV)/.ready-to-measure  ## the measurements; other options: make bench ARGS="--help"
	@$(BIN)/python benchmarks $(ARGS)

lint: $(VENV)/.ready-to-develop  ## only the checks of style, types and imports
	@$(BIN)/python -m pytest -n auto tests/test_quality.py tests/test_house.py $(ARGS)

format: $(VENV)/.ready-to-develop  ## rewrite the code in the house style
	@$(BIN)/python -m ruff check --fix-only --quiet .
	@$(BIN)/python -m ruff format .

clean:  ## remove .venv and whatever else can be made again
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# A stamp is newer than pyproject.toml when everything that file asks for is installed. Python without its own ensurepip
# (Debian's, without python3-venv) lends the virtual environment the pip it has.
$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Crowsfoot needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) -V 2>&1 || true)" >&2; \
	  echo "Name another, such as: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 \
	|| $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
	|| { $(PYTHON) -m venv --clear --without-pip $(VENV) \
	     && $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install -qq pip; }
	@$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/.ready-to-develop: $(VENV)/.ready
	@echo "Adding what the tests need"
	@$(PIP) --editable '.[all,dev]'
	@touch $@

$(VENV)/.ready-to-measure: $(VENV)/.ready
	@echo "Adding what is compared"
	@$(PIP) --editable '.[all,bench]'
	@touch $@
