# Everything a person needs: `make demo` and `make test` set up what they need by themselves.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# byte code must be written: each of the fleet's processes would otherwise compile every module anew
unexport PYTHONDONTWRITEBYTECODE
export RAY_USAGE_STATS_ENABLED := 0
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON ?= python3
BIN := .venv/bin
RUST := $(shell find rust -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.pyi' \) -not -path '*/target/*' 2>/dev/null) Cargo.toml Cargo.lock
# NATIVE=0 builds without the Rust kernels, as on a machine without cargo
NATIVE ?= 1
# test workers: files run side by side, those that start Ray one after the other in one of them
WORKERS ?= 2

.PHONY: help demo test lint bench build rust-test clean

help:
	@echo "make demo   a fleet of agents trades a synthetic market and hands over a report"
	@echo "make test   all tests"
	@echo "make lint   formatters, types, import contracts, doctests, clippy"
	@echo "make bench  speed and memory, as ratios in one run"
	@echo "make build  .venv with the tradewind command"

.build/venv:
	@mkdir -p .build
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python: expected 3.11 or newer, found {v.major}.{v.minor}; set PYTHON=python3.11")'
	@test -x $(BIN)/python || { echo "creating .venv"; $(PYTHON) -m venv .venv; }
	@touch $@

.build/runtime: requirements.lock pyproject.toml .build/venv
	@echo "installing pinned packages"
	@$(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --no-deps -e .
	@$(BIN)/python -m compileall -q actors config serve cluster || true
	@touch $@

.build/dev: requirements-dev.lock .build/runtime
	@echo "installing pinned development packages"
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	@touch $@

.build/kernels-$(NATIVE): $(RUST) .build/runtime
	@if [ "$(NATIVE)" != 1 ]; then \
		echo "kernels: NATIVE=0, running on the Python twins"; \
		$(BIN)/python -m pip uninstall -q -y tradewind-tradecore 2>/dev/null || true; \
	elif command -v cargo >/dev/null 2>&1; then \
		echo "kernels: building the Rust extension"; \
		$(BIN)/python -m pip install -q --no-deps --force-reinstall ./rust/bindings; \
	else \
		echo "kernels: cargo was not found, so Tradewind runs on the slower Python twins."; \
		echo "         Install Rust (rustup) and run make build again for the native kernels."; \
	fi
	@rm -f .build/kernels-*; touch $@

build: .build/runtime .build/kernels-$(NATIVE)

demo: build
	@$(BIN)/tradewind demo

test: build .build/dev
	@$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder

lint: build .build/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:randomly --doctest-modules actors config serve cluster
	@if command -v cargo >/dev/null 2>&1; then \
		cargo fmt --all --check && cargo clippy -q --all-targets --locked -- -D warnings && \
		$(BIN)/python -m mypy.stubtest _tradecore --ignore-missing-stub --mypy-config-file pyproject.toml; \
	else echo "cargo was not found: the Rust crates are not linted"; fi

rust-test:
	@if command -v cargo >/dev/null 2>&1; then cargo test -q --release --locked; \
	else echo "cargo was not found: the Rust crates are not tested"; fi

bench: build .build/dev
	@$(BIN)/tradewind bench

clean:
	rm -rf .build .venv target user_data
