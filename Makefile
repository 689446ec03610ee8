# `make` alone prints this menu. Every target sets up what it needs first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MARKS ?= not slow
READY := $(VENV)/.ready
VENDOR := smart_customer_analysis/app/static/vendor/.ready
# run before anything is made, by whichever Python there is: an environment of an older one would stay
OLD_PYTHON := import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "make: expected Python 3.11 or newer; \
found %d.%d; next: %s" % (v + (sys.argv[1],)) or 0)
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: help setup run serve lab report docs test check test-slow test-fast coverage lint types format compose-check export bench faults lock system clean

help: ## this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@if test -x $(BIN)/python; then $(BIN)/python -c '$(OLD_PYTHON)' 'rm -rf $(VENV), then the same again'; \
	else $(PYTHON) -c '$(OLD_PYTHON)' 'make PYTHON=python3.11, or where a newer one is' && $(PYTHON) -m venv $(VENV); fi
	@# pip 23, which Python 3.11 brings, resolves this environment ten times slower
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.3'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENDOR): $(READY) smart_customer_analysis/app/assets/package-lock.json
	$(BIN)/python -m smart_customer_analysis.app.vendor
	@touch $@

setup: $(READY) $(VENDOR) ## environment, page assets, commit hooks; runs nothing
	@bash .ci/hooks $(VENV)

run: setup ## the main job on data/sample: load, clean, train, score, segment, store, report
	$(BIN)/sca run

serve: setup ## the API and the page, on the database of the last run
	$(BIN)/sca serve

lab: setup ## JupyterLab, opened at nbs/index.ipynb; notebooks are saved clean
	$(BIN)/jupyter lab --notebook-dir . --LabApp.default_url=/lab/tree/nbs/index.ipynb \
	  --ContentsManager.pre_save_hook=nbdev.clean.clean_jupyter

report: setup ## the weekly report, as a notebook and one HTML file, into reports/
	$(BIN)/sca report run weekly

docs: setup ## the documentation site, into docs/_build/html
	$(BIN)/python docs/build.py

system: ## Debian packages the tests use (PostgreSQL with PostGIS, Chromium), where apt may be used
	@bash tests/system.sh

test: setup system ## every test: house, unit, notebooks, PostGIS, API, browser
	$(BIN)/python .ci/notebooks
	@# twice: files of tests/app and tests/unit share names
	$(BIN)/python -m pytest -n 2 --dist loadfile -m '$(MARKS)' --ignore tests/unit
	$(BIN)/python -m pytest -n 2 --dist loadfile -m '$(MARKS)' tests/unit

coverage: setup ## the lines that tests/unit runs; takes half as long again as the tests alone
	$(BIN)/python -m pytest -n 2 --dist loadfile -m '$(MARKS)' --cov tests/unit

check: $(READY) ## one notebook: laid out, exported, run, its unit tests; make check NB=310_segment.kmeans
	@$(BIN)/python .ci/check $(NB)

test-slow: setup ## the tests that train on real rows for minutes
	$(BIN)/python -m pytest -m slow

test-fast: setup ## tests that need neither PostGIS nor a browser nor real data
	$(BIN)/python -m pytest -m 'not db and not browser and not real and not slow'

lint: setup compose-check ## ruff, prettier, types; container and workflow files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python .ci/prettier --check
	$(BIN)/ty check

types: setup ## annotations of the package, checked by ty
	$(BIN)/ty check

format: setup ## lay out Python, notebooks, JavaScript, CSS and HTML as `make lint` wants them
	$(BIN)/ruff check --select I --fix
	$(BIN)/ruff format
	$(BIN)/python .ci/prettier --write --log-level warn

compose-check: $(READY)
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

export: setup ## write the modules from the notebooks, and the list of tutorials
	$(BIN)/nbdev-export && $(BIN)/python docs/start_page.py && $(BIN)/nbdev-clean

bench: setup ## speed ratios and simulations, tables into docs/measured/
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@for f in benchmarks/accuracy_*.py benchmarks/bench_*.py benchmarks/sim_*.py benchmarks/trust_*.py benchmarks/stream_*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

faults: setup ## kills and races at full counts, tables into docs/measured/
	@for f in benchmarks/faults_*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

lock: $(READY) ## write constraints.txt from this environment
	@# soupsieve stays at 2.10: from 3.0 on it asks for Python 3.11.5, and Debian 12 has 3.11.2
	$(BIN)/python -m pip freeze --exclude-editable | sed -e 's/+cpu$$//' -e '/^smart.customer/d' -e 's/^soupsieve==.*/soupsieve==2.10/' > constraints.txt
	@touch $(READY)

clean: ## remove what can be made again
	rm -rf build dist *.egg-info _proc docs/_build docs/_src .pytest_cache .ruff_cache .coverage .ci/format/node_modules
