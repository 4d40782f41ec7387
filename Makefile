PYTHON ?= python3
BIN := .venv/bin
NPM := $(shell command -v npm)
BIOME := node_modules/.bin/biome

.PHONY: quickstart test lint types js lock board

quickstart: $(BIN)/.installed
	$(BIN)/python -m benchmarks.run --config=configs/quickstart.py --workdir=runs/quickstart

test: $(BIN)/.installed lint
	$(BIN)/python -m pytest -n 2

lint: $(BIN)/.installed js
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/python -m leaderboard.build --check

types: $(BIN)/.installed
	$(BIN)/basedpyright --pythonpath $(BIN)/python

js: $(if $(NPM),node_modules/.installed)
	$(if $(NPM),$(BIOME) check --error-on-warnings,@echo "make js: skipped, there is no npm (apt-get install npm)")

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
