# On a fresh Debian 12 or Ubuntu 24.04, without a GPU or a CUDA toolkit:
#   make demo     a real sentence encoder on ATen and on Corundum, side by side
#   make test     all tests, C++ and Python; of products of operators, dtypes and layouts a fixed sample
#   make test-full  the whole products, and what takes minutes or 16 GiB of memory
# Each installs what is missing, builds what has changed, and works when run again. DEMO="--device cpu" passes options to the demo,
# PYTEST="-k softmax" to pytest.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BUILD ?= build
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.constraints

.PHONY: demo test test-full build format clean

demo: build
	@PYTHONPATH=python $(PY) examples/demo.py $(DEMO)

test: build
	@$(PY) tools/test.py --build $(BUILD) -- $(PYTEST)

test-full: override PYTEST := --full $(PYTEST)
test-full: test

build: $(INSTALLED)
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake -S . -B $(BUILD) -G Ninja -DPython3_EXECUTABLE="$(abspath $(PY))" --log-level=WARNING
	@$(VENV)/bin/cmake --build $(BUILD)

# Looked at each time: system packages may be gone, and this costs a fraction of a second.
$(INSTALLED): constraints.txt FORCE
	@tools/system_packages.sh $(PYTHON)
	@cmp -s constraints.txt $@ || { test -x $(PY) || $(PYTHON) -m venv $(VENV); \
	  $(PY) -m pip install --disable-pip-version-check --requirement constraints.txt && cp constraints.txt $@; }

.PHONY: FORCE
FORCE:

format: $(INSTALLED)
	@git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp' | xargs -0 $(VENV)/bin/clang-format -i
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

clean:
	@rm -rf $(BUILD)
