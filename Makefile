# The project's verbs. `make demo` shows it all, `make test` proves it; both set themselves up.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help setup dev demo test servers e2e chaos simulation mutants fuzz bench coverage golden readme lint types package clean

help: ## list these verbs
	@sed -n 's/^\([a-z0-9]*\):.*## /\1: /p' $(MAKEFILE_LIST)

$(VENV)/.setup: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Reverberate needs Python 3.11 or newer, and this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'This Python cannot make environments; on Debian: apt install python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,postgresql]'
	@touch $@

$(VENV)/.dev: $(VENV)/.setup
	$(BIN)/python tools/dev_requirements.py > $(VENV)/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r $(VENV)/dev.txt
	@touch $@

setup: $(VENV)/.setup ## make .venv with the service and its embedded Redis
dev: $(VENV)/.dev ## the same, with what tests and checks need

demo: setup ## a sample blog, sandbox networks, and a post that arrives on every account
	@$(BIN)/reverberate demo $(DEMO)

# each of the four reads all tests: their compiled form is kept, and the fuzzing's plug-in, slow to import, is left out
test: dev ## all tests but the heavy ones
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -q -n 4 --dist worksteal -p no:schemathesis $(PYTEST)

servers: ## fetch the real servers that e2e tests against, pinned, into the user's cache
	tools/servers.sh

e2e: dev ## the whole service on a moved clock, and our clients against real servers: a Bluesky PDS, WordPress, snac
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/real $(PYTEST)

coverage: dev ## branch coverage of floors 0 to 3, from the last `make test PYTEST=--cov`
	$(BIN)/coverage report --fail-under=95 --omit='*/cli/*,*/web/*,*/sandbox/*,*/runtime.py,*/dispatcher.py,*/tasks.py,*/broker.py,*/doorbell.py,*/demo.py,*/checks.py,*/testing.py,*/__main__.py,*/migrations/*'

chaos: dev ## processes killed, networks that fail, and the ledger as the judge
	$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "heavy or not heavy" tests/chaos tests/integration/test_hard_times.py $(PYTEST)

simulation: dev ## thousands of worlds in which everything goes wrong, each by its seed; hundreds of inputs for each property
	REVERBERATE_EXAMPLES=$${REVERBERATE_EXAMPLES:-200} $(BIN)/python -m pytest -q -n 2 --dist worksteal -m hypothesis tests/unit $(PYTEST)
	REVERBERATE_WORLDS=$${REVERBERATE_WORLDS:-20000} $(BIN)/python -m pytest -q -n 2 tests/simulation $(PYTEST)

fuzz: dev ## thousands of requests to the HTTP API, by its own description
	$(BIN)/python -m pytest -q tests/fuzz $(PYTEST)

bench: dev ## speed, against baselines in the same run; the figures are kept in docs/performance.md
	for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench || exit 1; done

mutants: dev ## each safety line taken away in turn: the tests must notice
	$(BIN)/python tools/mutants.py

golden: dev ## draw the expected files of tests/golden anew; then look at `git diff`
	$(BIN)/python tests/golden/draw.py

readme: dev ## write the README's table of networks anew, from what the networks say of themselves
	$(BIN)/python tools/networks_table.py

lint: dev ## format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: dev ## static types
	$(BIN)/mypy

package: dev ## sdist, then wheel from it, then a clean environment with it
	$(BIN)/python tools/check_package.py

clean: ## remove what the other verbs made
	rm -rf $(VENV) build dist demo-data .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
