PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal -rs
NPM := $(shell command -v npm)
BIOME := node_modules/.bin/biome
NO_NPM := there is no npm (apt-get install npm)

.PHONY: quickstart test test-fast lint types js fmt lock board

quickstart: $(BIN)/.installed
	$(BIN)/python -m benchmarks.run --config=configs/quickstart.py --workdir=runs/quickstart

# Everything that needs no download and no PyTorch; K=expression runs the tests whose names match it.
test: $(BIN)/.installed lint
	$(PYTEST) $(if $(K),-k "$(K)")

# The tests that are not slow, see tests/conftest.py: a minute on 2 cores.
test-fast: $(BIN)/.installed
	$(PYTEST) -m "not slow" $(if $(K),-k "$(K)")

lint: $(BIN)/.installed js types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/python -m leaderboard.build --check

types: $(BIN)/.installed
	$(BIN)/basedpyright --pythonpath $(BIN)/python

js: $(if $(NPM),node_modules/.installed)
	$(if $(NPM),$(BIOME) check --error-on-warnings,@echo "make js: skipped, $(NO_NPM)")

fmt: $(BIN)/.installed $(if $(NPM),node_modules/.installed)
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(if $(NPM),$(BIOME) check --write,@echo "make fmt: scripts and styles are left, $(NO_NPM)")

board: $(BIN)/.installed
	$(BIN)/python -m leaderboard.build

lock:
	uv pip compile --universal --python-version 3.11 --fork-strategy requires-python --no-emit-index-url \
		--generate-hashes --extra lint --extra test pyproject.toml -o requirements.lock

$(BIN)/.installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	touch $@

node_modules/.installed: package-lock.json
	npm ci --silent --no-audit --no-fund
	touch $@
