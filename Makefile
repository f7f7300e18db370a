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
.PHONY: help demo test test-all check bench image constraints

help:
	@echo 'make demo         real work by real workers on this machine, no AWS account needed'
	@echo 'make test         the tests, in a few minutes'
	@echo 'make test-all     the slow ones too'
	@echo 'make check        format, lint, types'
	@echo 'make bench        how fast the embedded Step Functions is here'
	@echo 'make image        docs/images/demo.svg, from a run of the demo'
	@echo 'make constraints  constraints.txt, from the newest versions that pyproject.toml allows'
	@echo 'PYTHON=python3.12 chooses the interpreter for a new .venv; it must be 3.11 or later.'

demo: .venv/.local
	$(BIN)/workers demo

# Most tests wait for processes and timers, so more of them run side by side than a small machine has cores.
test: .venv/.test
	$(BIN)/python -m pytest -n 3

test-all: test
	$(BIN)/python -m pytest -m slow

check: .venv/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/.local
	$(BIN)/python benchmarks/engine.py

image: .venv/.local
	$(BIN)/python docs/images/demo.py

constraints: export PIP_CONSTRAINT =
constraints: export PIP_BUILD_CONSTRAINT =
constraints:
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --upgrade pip
	build/constraints/bin/python -m pip install --quiet '.[local-aws,test,lint]' hatchling editables
	build/constraints/bin/python -m pip freeze --all --exclude setuptools --exclude sfn-workers >constraints.txt
	rm -rf build/constraints

.venv/.local: EXTRAS = local
.venv/.test: EXTRAS = local-aws,test
.venv/.lint: EXTRAS = local-aws,test,lint
.venv/.local .venv/.test .venv/.lint: .venv/.created pyproject.toml constraints.txt
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
