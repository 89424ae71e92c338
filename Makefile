# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test distributed check lint bench scale simulations picture schema tables optimizers api clean

demo: $(READY)  ## run the digits study and write its report
	$(BIN)/robustness run digits

test: $(READY)  ## every test, the slow ones too: first those that need the cores alone, then Ray's and the browsers', which wait at times
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder -m "not sweep and not browser and not distributed"
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "sweep or browser"
	$(BIN)/python -m pytest --doctest-modules $$($(BIN)/python -m docs.api --files)

distributed: $(READY)  ## AdamS on two processes that divide a model, in each of torch's ways (a minute)
	$(BIN)/python -m pytest -m distributed

check: lint  ## what to run before a commit, in under three minutes: lint, and every test that is quick
	$(BIN)/python -m pytest -q -n auto --dist loadgroup --no-loadscope-reorder -m "not slow and not sweep and not browser and not distributed"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

bench: $(READY)
	$(BIN)/python -m benchmarks.sweep
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.million
	$(BIN)/python -m benchmarks.hovering
	$(BIN)/python -m benchmarks.service
	$(BIN)/python -m benchmarks.adams_step
	$(BIN)/python -m benchmarks.cifar --images 512 --repetitions 3

scale: $(READY)  ## ten thousand runs on two cores: overhead, memory, the time to open them (a quarter of an hour)
	$(BIN)/python -m benchmarks.scale

simulations: $(READY)  ## the tables of docs/claims.md: do the intervals hold, do the verdicts? (half an hour)
	$(BIN)/python -m benchmarks.coverage
	$(BIN)/python -m benchmarks.verdicts

picture: $(READY)  ## draw the README's picture from results/digits (needs Chromium)
	$(BIN)/robustness report digits --picture docs/digits.png

schema: $(READY)  ## write the JSON Schema of study files
	$(BIN)/robustness schema > search_spaces/study.schema.json

tables: $(READY)  ## fill the tables of README.md and docs/ that are made from the code
	$(BIN)/python -m docs.tables

optimizers: $(READY)  ## try every optimizer of torch.optim and pytorch_optimizer, and write docs/optimizers.md (two minutes)
	$(BIN)/python -m docs.optimizers

api: $(READY)  ## write docs/api.md from the docstrings of all that is public
	$(BIN)/python -m docs.api

$(READY): pyproject.toml setup.py constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
