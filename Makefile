# make demo · make test · make lab: each sets up what it needs, from a bare Python 3.11 or newer.
PYTHON ?= python3
OUT ?= out/demo

UV := .uv/bin/uv
READY := .venv/.ready
RUN := .venv/bin/
# What is copied when the package is installed, and not read from where it lies.
COPIED := $(shell find coursekit/commands/jupyter/labextension -type f)
# One more than the cores of a small machine: some tests wait for a process or a clock.
JOBS ?= 3
TESTS ?= tests

# Byte-code is compiled at installation: without it torch takes two to three times as long to import.
unexport PYTHONDONTWRITEBYTECODE
# Where another environment is active, IPython and uv warn of it in each kernel and at each call.
unexport VIRTUAL_ENV
export UV_COMPILE_BYTECODE = 1
# In a folder with other letters than ASCII, Python 3.11 does not even start under the locale C.
export LC_ALL = C.UTF-8

# Python 3.11 does not start in an environment whose path has an é, where the locale is plain C.
ifneq (,$(filter C POSIX,$(LC_ALL)))
export LC_ALL := C.UTF-8
endif

.PHONY: demo test lessons lab setup build lint types unit coverage notebooks abn results gpu browser \
  site clean help

help:
	@echo "make demo   train a face parser on made-up faces and look at it ($(OUT)/report.html)"
	@echo "make test   lint, types, unit tests, the solved notebooks replayed"
	@echo "make lessons  for who changes a lesson: all known answers, and the full tier in miniature"
	@echo "make lab    the lessons, in JupyterLab"
	@echo "make build  the notebooks, from notebooks/source"
	@echo "make coverage  which lines no test runs (make coverage TESTS=tests/data)"
	@echo "make browser  the pages and JupyterLab in Chromium, both themes, and axe-core (out/browser)"
	@echo "make site   the whole course as pages to read (out/site/index.html)"
	@echo "make gpu    every measurement that needs a GPU and is open, within eight minutes"

demo: $(READY)
	@$(RUN)coursekit demo --out "$(OUT)"

lab: $(READY)
	@$(RUN)coursekit lab $(ARGS)

# Types are checked beside what unit tests wait for, and beside them.
test:
	@$(MAKE) --no-print-directory --jobs 2 lint types unit
	@$(MAKE) --no-print-directory notebooks
	@echo "make test: everything passed"

setup: $(READY)

$(UV):
	@echo "setup 1/2: uv, the installer, into .uv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 8))' || \
	  { echo "$(PYTHON) is too old or missing: install Python 3.11 or newer, or name one: make PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .uv || { echo "python3 has no venv module (on Debian: apt install python3-venv)"; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

$(READY): pyproject.toml uv.lock $(COPIED) | $(UV)
	@echo "setup 2/2: the locked environment, into .venv (several GB the first time; minutes)"
	@[ -t 2 ] || quiet=--quiet; PYTHONIOENCODING=utf-8 $(UV) sync --locked --inexact $$quiet
	@touch $@

lint: $(READY)
	@echo "lint: ruff, import directions, declared dependencies"
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)lint-imports --no-logo
	@$(RUN)deptry coursekit notebooks/source
	@$(RUN)deptry tests benchmarks --ignore DEP002,DEP004  # need not use all, may use the dev group

types: $(READY)
	@$(RUN)mypy

# inplace-abn needs a compiler; its tests run where it can be built.
abn: $(READY)
	@sh .ci/inplace-abn.sh

unit: $(READY) abn
	@echo "unit and property tests"
	@$(RUN)python -m pytest -p no:nbval -n $(JOBS) --dist loadfile tests --ignore tests/course

# CI runs it after `make test`: a lesson's every known answer, and each lesson as on a GPU.
lessons: $(READY)
	@echo "lessons: every known answer on both halves of the checks, and the full tier in miniature"
	@$(RUN)python -m pytest -p no:nbval -n $(JOBS) --dist loadfile tests/course

coverage: $(READY)
	@echo "which lines of the package no test runs ($(TESTS))"
	@$(RUN)python -m pytest -n $(JOBS) --dist loadfile $(TESTS) --cov

build: $(READY)
	@$(RUN)coursekit build

notebooks: $(READY)
	@echo "notebooks: rebuilt and compared, then replayed by nbval"
	@$(RUN)coursekit build --check
	@$(RUN)python -m pytest -p no:cacheprovider -p coursekit.lessons.replayed \
	  -n $(JOBS) --dist loadscope --nbval notebooks/solved

results: $(READY)
	@$(RUN)python benchmarks/table.py

# On a rented GPU: make gpu PYTHON=python3 takes the Python that holds its torch; nothing is set up.
gpu:
	@PYTHONPATH=. $(if $(wildcard $(READY)),$(RUN)python,$(PYTHON)) benchmarks/gpu.py

# Needs a Chromium: the machine's own, or `playwright install chromium`.
browser: $(READY)
	@$(UV) run --locked --group browser --group site python -m tests.browser out/browser

# Sphinx comes with it; `make setup` and `make test` do without.
site: $(READY)
	@$(UV) run --locked --group site coursekit site --out out/site

clean:
	rm -rf .venv .uv out .mypy_cache .ruff_cache .pytest_cache .hypothesis
