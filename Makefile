# One Makefile that people and CI both call.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := install
.PHONY: install demo test check bench fuzz soak format standard screenshot clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: install  ## the gateway in front of a small live platform; prints one address
	$(BIN)/shieldwire demo $(ARGS)

test: install  ## every test, in under 10 minutes
	$(BIN)/pytest $(ARGS)

check: install  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install  ## the text kernels and shared state beside their peers, and their budgets
	$(BIN)/shieldwire bench kernels $(ARGS)
	$(BIN)/shieldwire bench state $(ARGS)

fuzz: install  ## a million random reads through the read kernel, and texts through the search, with bounds checked
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m tests.gateway.wire.mutants 1000000
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m tests.filters.mutants 1000000

soak: install  ## 10,000 random flips and faults of the store; ARGS="ACTIONS SEED"
	$(BIN)/python -m tests.gateway.state.soak $(ARGS)

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

standard: install  ## docs/standard.md, from the classification standard
	$(BIN)/python -m filters.standard.render

screenshot: install  ## the picture in the README, made by the browser test
	SHIELDWIRE_SCREENSHOT=$(CURDIR)/docs/images/demo.png $(BIN)/pytest tests/browser $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
