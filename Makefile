# The only vocabulary of checks: CI and the pre-commit hooks call these and nothing else.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/planner/target
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)
RUST := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock

.DEFAULT_GOAL := help
.PHONY: help setup demo check check-perf test controlplane bench bench-report fmt

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/uv:
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.synced: pyproject.toml uv.lock | $(BIN)/uv
	$(BIN)/uv sync --quiet --locked --inexact --no-install-project --compile-bytecode
	@touch $@

$(VENV)/.built: $(VENV)/.synced $(RUST)
	$(BIN)/maturin develop --quiet --release --locked --uv
	@$(BIN)/python -m compileall -q planner
	@touch $@

setup: $(VENV)/.built ## install everything, locked, into .venv and build the core

demo: setup ## import both recorded clusters, plan the release of the shop, verify it, write demo/plan.html
	@examples/shop/demo.sh

check: setup ## everything that can be said without running tests
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	python -m mypy.stubtest planner._core --ignore-missing-stub
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	tests/log/alembic-check.sh

check-perf: setup ## instructions of the core beside what it may take (needs valgrind); ACCEPT=1 keeps what it takes now
	cargo build --quiet --release --locked --package planner-core --example count
	python -m benches.instructions $(CARGO_TARGET_DIR)/release/examples/count $(if $(ACCEPT),--accept)

test: setup ## every test, Rust and Python
	cargo test --locked --quiet --workspace --exclude planner-py
	@if command -v go >/dev/null; then $(MAKE) --no-print-directory controlplane; fi
	pytest -n auto

controlplane: setup ## build the Kubernetes control plane that tests run on, once (5 minutes, needs Go)
	@python -m tests.controlplane.binaries

bench: setup ## speed and quality (release build), 1k and 100k pods; PODS=1k,100k,1m for more
	pytest benches -o python_files='bench_*.py' --benchmark-only --benchmark-columns=min,median,max,rounds \
		--timeout 3600 $(if $(PODS),--pods $(PODS))

bench-report: setup ## measure everything again, beside peers, and put it into docs/benchmarks.md; PODS=10k,100k CURVE=10k,1m COMMANDS=100k for less, URL=postgresql://.. beside SQLite
	python -m benches.report --into docs/benchmarks.md $(if $(PODS),--pods $(PODS)) $(if $(CURVE),--curve $(CURVE)) $(if $(COMMANDS),--commands $(COMMANDS)) $(if $(URL),--url $(URL))

fmt: setup ## format and mend what can be mended
	ruff format .
	ruff check --fix-only --quiet .
	cargo fmt --all
