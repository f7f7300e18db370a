# The commands of this repository. Each creates .venv with the pinned versions that it needs; the second time it just runs.

PYTHON ?= python3
BIN := .venv/bin

# What a shell may carry must not change what is installed or tested.
unexport PIP_PREFIX PIP_TARGET PIP_USER PYTEST_ADDOPTS PYTHONHOME PYTHONOPTIMIZE PYTHONPATH PYTHONWARNINGS VIRTUAL_ENV
# The second one is for what builds the package.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow test-all check bench bench-all bench-peers image pictures constraints

help:
	@echo 'make demo         real work by real workers on this machine, no AWS account needed'
	@echo 'make test         the tests, in about five minutes on two cores'
	@echo 'make test-all     the slow ones too, in forty minutes more'
	@echo 'make check        format, lint, types'
	@echo 'make bench        how fast workers are here, in three minutes: a table, and a plot in build/bench'
	@echo 'make bench-peers  the same against other projects'
	@echo 'make bench-all    every benchmark, in an hour'
	@echo 'make image        the pictures in the README, from real runs'
	@echo 'make pictures     those of the web page, taken with Chromium'
	@echo 'make constraints  constraints.txt, from the newest versions that pyproject.toml allows'
	@echo 'PYTHON=python3.12 chooses the interpreter for a new .venv; it must be 3.11 or later.'

demo: .venv/.local
	$(BIN)/workers demo

# Most tests wait for processes and timers, so more of them run side by side than a small machine has cores.
test: .venv/.test
	$(BIN)/python -m pytest -n 3

test-slow: .venv/.test
	$(BIN)/python -m pytest -n 2 -m slow

test-all: test test-slow

check: .venv/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/.bench
	$(BIN)/python benchmarks/bench.py

bench-all: .venv/.bench
	$(BIN)/python benchmarks/bench.py --full
	$(BIN)/python benchmarks/payloads.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/engine_inside.py
	$(BIN)/python benchmarks/soak.py
	$(BIN)/python benchmarks/testing.py
	$(BIN)/python benchmarks/dev.py

# Other projects, in an environment of their own: sfini needs an old setuptools.
bench-peers: .venv/.bench build/peers/.installed
	$(BIN)/python benchmarks/bench.py --peers build/peers

build/peers/.installed: export PIP_CONSTRAINT =
build/peers/.installed:
	@$(PYTHON) -m venv build/peers
	@build/peers/bin/python -m pip install --quiet 'setuptools<81' heaviside==2.2.5 stefuna==1.0.1 sfini==0.1.0
	@touch $@

image: .venv/.local
	$(BIN)/python docs/images/demo.py
	$(BIN)/python docs/images/redrive.py

# The pictures of the web page: needs Chromium.
pictures: .venv/.test
	$(BIN)/python docs/images/web_page.py

constraints: export PIP_CONSTRAINT =
constraints: export PIP_BUILD_CONSTRAINT =
constraints:
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --upgrade pip
	build/constraints/bin/python -m pip install --quiet '.[local-aws,test,lint,bench]' hatchling editables
	build/constraints/bin/python -m pip freeze --all --exclude setuptools --exclude sfn-workers >constraints.txt
	rm -rf build/constraints

.venv/.local: EXTRAS = local
.venv/.test: EXTRAS = local-aws,test
.venv/.lint: EXTRAS = local-aws,test,lint
.venv/.bench: EXTRAS = dev,local-aws,uvloop,testing,bench
.venv/.local .venv/.test .venv/.lint .venv/.bench: .venv/.created pyproject.toml constraints.txt
	@echo 'Installing sfn-workers[$(EXTRAS)] into .venv'
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[$(EXTRAS)]'
	@touch $@

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo '$(PYTHON) is not Python 3.11 or later: choose one that is, as in make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo '$(PYTHON) cannot create environments: on Debian and Ubuntu, install python3-venv'; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip # the one that Python brings may be three times as slow
	@touch $@
