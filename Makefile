# `make demo` and `make test` need nothing but a Debian machine with Python 3.11 or newer: everything else they fetch
# themselves, into .venv. A second call finds its stamp there and starts at once.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PROMTOOL := $(BIN)/promtool
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ "$$n" -le 8 ] || n=8; echo "$$n")
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install -q -c constraints.txt
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends
CHROMIUM := /usr/bin/chromium
POSTGRES := /usr/lib/postgresql
ALERTMANAGER := /usr/bin/prometheus-alertmanager

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types contracts bench exam format constraints clean

help:  ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r target what; do \
		printf '  make %-12s %s\n' "$$target" "$$what"; done

demo: $(VENV)/.demo  ## monitor a real model's traffic, start to finish, and print the report
	@$(BIN)/driftline demo

test: lint types contracts | $(CHROMIUM) $(POSTGRES) $(ALERTMANAGER) $(PROMTOOL)  ## everything that must hold before a commit
	@$(BIN)/pytest -q -n $(WORKERS)

lint: $(VENV)/.test
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check

types: $(VENV)/.test
	@$(BIN)/mypy

contracts: $(VENV)/.test
	@$(BIN)/lint-imports --no-logo --no-cache > $(VENV)/contracts.txt || { cat $(VENV)/contracts.txt; exit 1; }
	@tail -n 2 $(VENV)/contracts.txt

bench: $(VENV)/.test  ## measure driftline beside its peers; FULL=1 for everything, and the tables of the docs
	@$(BIN)/python -m benchmarks $(if $(FULL),--full)

exam: $(VENV)/.test | $(CHROMIUM) $(POSTGRES) $(ALERTMANAGER) $(PROMTOOL)  ## the long examination: every law with thousands of examples
	@HYPOTHESIS_PROFILE=exam $(BIN)/pytest -q -n $(WORKERS) -m "exam or not exam"

format: $(VENV)/.test  ## put the code into shape
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format

constraints:  ## choose the newest versions of everything anew, and pin them in constraints.txt
	@rm -rf $(VENV)/fresh && $(PYTHON) -m venv $(VENV)/fresh
	@$(VENV)/fresh/bin/python -m pip install -q --upgrade pip setuptools
	@$(VENV)/fresh/bin/python -m pip install -q --no-build-isolation --group dev -e .
	@{ sed -n '/^#/p' constraints.txt; \
	   $(VENV)/fresh/bin/python -m pip freeze --all --exclude-editable | LC_ALL=C sort -f; } > $(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt && rm -rf $(VENV)/fresh

clean:  ## remove whatever was made here
	@rm -rf $(VENV) build dist driftline.egg-info driftline-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets stand on -----------------------------------------------------------------------------------

$(VENV)/.python: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'driftline needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		package=$$($(PYTHON) -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))'); \
		echo "Python's venv module is missing: installing Debian's $$package"; $(APT) $$package; } || { \
		echo "Python's venv module is missing; install it: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --upgrade pip setuptools
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml setup.py constraints.txt
	@echo 'installing what driftline needs into $(VENV) (once; about 250 MB to fetch)'
	@PYTHONWARNINGS=ignore $(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@echo 'installing what the tests need into $(VENV) (once)'
	@$(PIP) --group dev
	@touch $@

$(POSTGRES):
	@echo "the registry is tested on a real server: installing Debian's postgresql (once)"
	@$(APT) postgresql || { echo 'PostgreSQL is missing; install it: apt-get install postgresql' >&2; exit 1; }

$(ALERTMANAGER):
	@echo "alerts are sent to a real Alertmanager: installing Debian's prometheus-alertmanager (once)"
	@$(APT) prometheus-alertmanager || { \
		echo 'Alertmanager is missing; install it: apt-get install prometheus-alertmanager' >&2; exit 1; }

$(PROMTOOL): | $(VENV)/.test
	@echo "metrics and alert rules are checked by Prometheus's own promtool: fetching Debian's (once; 19 MB)"
	@rm -rf $(VENV)/prometheus && mkdir -p $(VENV)/prometheus
	@{ $(SUDO) apt-get update -qq && cd $(VENV)/prometheus && apt-get download -qq prometheus && \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool; } || { \
		echo 'promtool is missing; put it into your PATH, or apt-get download prometheus' >&2; exit 1; }
	@mv $(VENV)/prometheus/usr/bin/promtool $@ && rm -rf $(VENV)/prometheus

$(CHROMIUM):
	@echo "the pages are looked at in a browser: installing Debian's chromium (once)"
	@$(APT) chromium || { echo 'Debian chromium is missing; install it: apt-get install chromium' >&2; exit 1; }
