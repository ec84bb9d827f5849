# Everything is installed into .venv. A stamp there says what is done, until pyproject.toml changes.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CANDIDATES := $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python

.PHONY: help serve test lint format messages bench bench-web soak clean

help:
	@echo "make serve      install, migrate, and serve on http://127.0.0.1:8000"
	@echo "make test       all tests, and the coverage of engine and exercise"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make format     let ruff lay out the code"
	@echo "make messages   bring the catalogues of the languages in step with what the program says"
	@echo "make bench      speeds and a large gradebook, then a simulated cohort, as ratios inside one run"
	@echo "make bench-web  a submission beside a bare row, 64 connections, a class of 500; also with PostgreSQL if it is there"
	@echo "make soak       the server killed fifty times under load: what was acknowledged is there, once"
	@echo "make clean      remove .venv and all caches"

serve: $(VENV)/.installed
	$(BIN)/quizprop serve

test: $(VENV)/.installed-test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto -m 'not unmeasured'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/python -m pytest --numprocesses auto -m unmeasured

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

messages: $(VENV)/.installed
	$(BIN)/python -m quizprop.web.extract

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/generate.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/grade.py
	$(BIN)/python benchmarks/gradebook.py
	$(BIN)/python benchmarks/adaptive.py

bench-web: $(VENV)/.installed
	$(BIN)/python benchmarks/web.py

soak: $(VENV)/.installed-test
	$(BIN)/python -m tests.soak

clean:
	rm -rf $(VENV) .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml $(VENV)/.made
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test $(VENV)/.installed-lint: $(VENV)/.installed-%: pyproject.toml $(VENV)/.installed
	$(PIP) --group $*
	@touch $@

# pip reads dependency groups from 25.1 on.
$(VENV)/.made:
	@for python in $(CANDIDATES); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; \
	    $$python -m venv $(VENV) && $(PIP) --upgrade 'pip>=25.1' && touch $@; \
	    exit; \
	  fi; \
	done; \
	echo "quizprop needs Python 3.11 or newer, and none of these is: $(strip $(CANDIDATES))." >&2; \
	echo "Install one, or say where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	exit 1
