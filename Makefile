# Everything runs in .venv, which the first target that needs it sets up.
#   make demo    the main job on a data set that ships with the package
#   make test    the whole suite, the linter and the type checker
.POSIX:

PYTHON = python3
JOBS = 2
BIN = .venv/bin
READY = .venv/.ready

.PHONY: help demo test lint format docs bench clean

help:
	@echo "make demo | test | lint | format | docs | bench | clean"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "polytask needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv (once; takes some minutes)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test,lint,docs]"
	@touch $(READY)

demo: $(READY)
	@$(BIN)/polytask demo

# Lint and tests both run whatever the other says; pytest's closing line comes last.
test: $(READY)
	@status=0; \
	$(MAKE) -s lint || status=1; \
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) || status=1; \
	exit $$status

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python tools/check_reference.py

bench: $(READY)
	@for script in benchmarks/speed/[!_]*.py benchmarks/quality/[!_]*.py; do \
	  test -e "$$script" || continue; \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

clean:
	rm -rf build dist site .pytest_cache .mypy_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
