# Everything here sets itself up, in .venv: all it needs is Python 3.10 or newer, a C compiler and make.
# `make PYTHON=python3.13 test` uses another Python, `VENV=...` another place.

PYTHON ?= python3
VENV ?= .venv
SOURCES := setup.py build_steps/make_stubs.py pyproject.toml more_executors/_version.py $(wildcard src_c/*.p* src_c/*.h src_c/*/*)
RUN := $(VENV)/bin/python

.PHONY: demo test test-tools test-long real prove-losses bench bench-gate simulate lint docs develop clean
.DELETE_ON_ERROR:

demo: $(VENV)/built $(VENV)/with-demo      ## publish 50,000 objects, and draw publish.png; FAULTS=1: the service fails, faults.png; ASYNC=1: by coroutines; CLUSTER=4: by workers of Dask, cluster.png
	$(RUN) examples/publish $(if $(filter-out 0,$(FAULTS)),--faults) $(if $(filter-out 0,$(ASYNC)),--async) $(if $(filter-out 0,$(CLUSTER)),--cluster $(CLUSTER)) $(ARGS)

test-tools: $(VENV)/built $(VENV)/with-test $(VENV)/with-greenlets $(VENV)/with-demo $(VENV)/with-recipes $(VENV)/with-dask $(VENV)/with-queues $(VENV)/with-google $(VENV)/with-azure

test: test-tools      ## run the tests, but for those that take long, in as many processes as there are cores
	$(RUN) -m pytest -n auto -m "not long" $(ARGS)

test-long: test-tools ## run those that take long
	$(RUN) -m pytest -n auto -m long $(ARGS)

real: test-tools      ## run the tests against real services, of Debian's packages: it gets them where it is root, and says what it did not run; SUITE=prometheus: one of them
	$(RUN) -m pytest tests/real/$(SUITE) -m real $(ARGS)

prove-losses: test-tools  ## kill, stop and drain what polls by shards is made of, at random, and write the table in docs/dask.md (a quarter of an hour); ARGS="--times 20"
	$(RUN) tests/dask/loss --write $(ARGS)

bench: $(VENV)/built $(VENV)/with-bench $(VENV)/with-demo    ## measure everything (minutes), and write benchmarks/results.json and the tables; COMPARE=REV: both in turns
	$(RUN) -m benchmarks $(if $(COMPARE),--compare $(COMPARE)) $(ARGS)

bench-gate: $(VENV)/built                  ## compare instruction counts with another commit: AGAINST=REV, or the merge base
	$(RUN) -m benchmarks.gate $(AGAINST) $(ARGS)

lint: $(VENV)/built $(VENV)/with-lint $(VENV)/with-test $(VENV)/with-demo $(VENV)/with-dask   ## check style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/cython-lint src_c
	$(RUN) -m mypy build_steps/make_stubs.py more_executors examples/publish
	$(RUN) -m mypy.stubtest more_executors._core
	$(RUN) -m pyright --pythonpath $(RUN) build_steps/make_stubs.py more_executors examples/publish
	$(RUN) -m pytest -q tests/test_typing.py

simulate: $(VENV)/built $(VENV)/with-bench    ## simulate a day of a million tasks, and draw docs/simulation.png
	$(RUN) -m benchmarks.simulation $(ARGS)

docs: $(VENV)/built $(VENV)/with-docs      ## build the guide, into docs/_build; a warning is an error
	$(RUN) -m sphinx -W -n --keep-going -q -b html docs docs/_build $(ARGS)

develop: $(VENV)/built                     ## build the extension in place
	@echo "more_executors is built: $(RUN) imports it from here"

clean:                                     ## remove what was built, the virtual environment too
	rm -rf $(VENV) build dist docs/_build *.egg-info src_c/*.c src_c/*.html
	rm -f more_executors/*.so more_executors/*.pyd publish.png faults.png faults.log cluster.png cluster.log
	rm -rf publish.state faults.state cluster.state
	find . -name __pycache__ -prune -exec rm -rf {} +

# A stamp for each step. The extension is built again when a source of it is newer.

$(VENV)/created:
	@sh .ci/check-tools "$(PYTHON)"
	@echo "Making the virtual environment $(VENV), with Cython ..."
	@"$(PYTHON)" -m venv "$(VENV)"
	@$(RUN) -m pip install -q --disable-pip-version-check 'setuptools>=77' 'cython==3.3.*'
	@touch $@

$(VENV)/built: $(VENV)/created $(SOURCES)
	@echo "Compiling the extension: up to a minute ..."
	@$(RUN) -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# Free-threaded Pythons have no wheels of these: there the tests among greenlets are skipped, and say so.
$(VENV)/with-greenlets: $(VENV)/built
	@echo "Installing gevent and eventlet ..."
	@$(RUN) -m pip install -q --disable-pip-version-check --only-binary :all: gevent eventlet || echo "no greenlets here"
	@touch $@

# The library is there already, so this only gets what the extra needs.
$(VENV)/with-%: $(VENV)/built
	@echo "Installing what the extra \"$*\" needs ..."
	@$(RUN) -m pip install -q --disable-pip-version-check 'more-executors[$*]'
	@touch $@
