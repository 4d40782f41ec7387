PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test lint lock board

quickstart: $(BIN)/.installed
	$(BIN)/python -m benchmarks.run --config=configs/quickstart.py --workdir=runs/quickstart

test: $(BIN)/.installed lint
	$(BIN)/python -m pytest -n 2

lint: $(BIN)/.installed
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/python -m leaderboard.build --check

board: $(BIN)/.installed
	$(BIN)/python -m leaderboard.build

lock:
	uv pip compile --universal --python-version 3.11 --fork-strategy requires-python --no-emit-index-url \
		--generate-hashes --extra test pyproject.toml -o requirements.lock

$(BIN)/.installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	touch $@
