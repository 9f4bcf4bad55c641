# Two commands on a machine with Python and make: `make race` and `make test`. Tests of the pages need
# Chromium and node 18 or newer besides.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
TORCH := $(shell grep '^torch==' requirements.lock)

.PHONY: race test docs examples gallery web setup format clean

race: setup  ## the main job: find a training recipe for an MLP on embedded Fashion-MNIST
	$(BIN)/thalweg race fashion-mlp --budget 3m

test: setup  ## format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q

docs: setup  ## the site, in site/; it opens from the disk
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

examples: setup  ## every example, two at a time; figures go to docs/images/examples
	$(BIN)/python examples/run.py

gallery: setup  ## every figure about surfaces, and their page; two minutes at most
	$(BIN)/python examples/gallery.py

web:  ## the front end of the playground, from web/src to one file; needs node 18 or newer, and npm once
	cd web && npm install --no-package-lock --no-audit --no-fund --loglevel=error
	node web/build.mjs

setup: $(STAMP)  ## the environment alone; does nothing where it is complete

# torch comes first and by itself: where a build for CPUs alone is offered, pip takes that one, and
# nothing installed after it pulls a second build.
$(STAMP): requirements.lock pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("thalweg needs Python 3.11 or newer; run: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked environment into $(VENV)"
	@$(BIN)/python -m pip install --quiet $(TORCH)
	@$(BIN)/python -m pip install --quiet --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

format: setup  ## put the sources in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the environment and what tools leave behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis dist site
