# Every target does its own set-up in .venv; running it again costs nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
DATA ?= ../shared/data/physionet2012/set-a.tar.gz
REPORT ?= cndts-report.html
SEEDS ?= 0,1,2
MODELS ?= hybrid-memory,boosted-trees,boosted-trees-absolute,ridge,decay-to-mean,last-value,linear-interpolation,channel-mean

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-oldest test-matrix coverage lint format docs benchmark clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.installed-plot ## Fit and compare on generated ICU-like records, write an HTML report
	$(BIN)/cndts demo --report $(REPORT)

# Two processes of one thread each: on small tensors more threads wait for each other longer than they compute.
TEST_OPTIONS ?= -n 2 --dist loadfile

test: $(VENV)/.installed-test ## Run the tests and the examples in the docstrings
	OMP_NUM_THREADS=1 $(BIN)/pytest $(TEST_OPTIONS)

test-slow: $(VENV)/.installed-test ## Run the tests that take minutes or need much data
	$(BIN)/pytest -m slow

test-oldest: $(OLDEST)/.installed ## Run the tests under the oldest supported pandas (2.2), scikit-learn (1.6) and sktime (1.1)
	OMP_NUM_THREADS=1 $(OLDEST)/bin/pytest $(TEST_OPTIONS)

test-matrix: test test-oldest ## Run the tests under the newest and the oldest supported libraries

coverage: $(VENV)/.installed-test ## Run the tests and list the lines they miss
	$(BIN)/pytest --cov

lint: $(VENV)/.installed-dev ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## Rewrite the code in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(VENV)/.installed-docs ## Build the documentation and run its examples; warnings are errors
	$(BIN)/sphinx-build -W --keep-going -d docs/_build/doctrees -b html docs docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -d docs/_build/doctrees -b doctest docs docs/_build/doctest

benchmark: $(VENV)/.installed-plot ## Compare all models on PhysioNet 2012 (DATA=..., SEEDS=..., MODELS=...)
	$(BIN)/cndts benchmark t-patchgnn/physionet2012 --data $(DATA) --models $(MODELS) --seeds $(SEEDS) \
		--json benchmarks/physionet2012/set-a.json

clean: ## Remove the environment and everything built
	rm -rf $(VENV) $(OLDEST) build dist docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The stamp is newer than what decides its content, so make installs again only after a change.
$(VENV)/.installed-%: pyproject.toml .ci/constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[$*]'
	@touch $@

$(OLDEST)/.installed: pyproject.toml .ci/oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --constraint .ci/oldest.txt --editable '.[test]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "cndts needs Python 3.11 or newer; got $$($(PYTHON) --version). Set PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
