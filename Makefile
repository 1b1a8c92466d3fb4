# SPDX-License-Identifier: Apache-2.0

# The interpreter to build with (default: tools/find-python chooses).
PYTHON ?=
# The interpreters to test with (default: the one of the build; all: every one found).
PYTHONS ?=
PYTEST_ARGS ?=
# The packages of PyPI whose tests `make test-packages` runs: names, all or quick.
PACKAGES ?= all
# A directory whose usdt.h replaces include/usdt.h.
USDT_INCLUDE ?=
PYUSDT_CFLAGS ?= -Werror
export CC PYTHONS USDT_INCLUDE PYUSDT_CFLAGS

VENV := .venv
PY := $(VENV)/bin/python
SOURCES := setup.py $(wildcard include/*.h src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] $(USDT_INCLUDE)/usdt.h)
BUILT_WITH = $(CC) $(USDT_INCLUDE) $(PYUSDT_CFLAGS) $(SOURCES)

.DELETE_ON_ERROR:
.PHONY: all demo test test-matrix test-cpython test-packages storms asan tsan leaks fuzz bench lint format \
	docs man picture dist clean help FORCE

##@ Use

all: libpyusdt.so ## Set up .venv and build; then .venv/bin/python -m pyusdt works.

demo: all ## Trace an example service with three tools (root), or record it.
	@$(PY) tools/demo

##@ Develop

test: all $(VENV)/ready.test ## Run the tests (minutes; PYTHONS=all or names, PYTEST_ARGS=).
	@tools/test $(PYTEST_ARGS)

test-matrix: all $(VENV)/ready.test ## Run them under every Python, also in a second userland (root; LONG=1).
	@$(PY) tools/test-matrix $(PYTEST_ARGS)

test-cpython: all $(VENV)/ready.test ## CPython's own tests, watched and not, end alike (LONG=1: many more).
	@PYUSDT_TEST_SUITES=more PYTHONS="$${PYTHONS:-all}" tools/test -m cpython $(PYTEST_ARGS)

test-packages: all $(VENV)/ready.test ## Tests of packages of PyPI end alike with and without pyusdt (PACKAGES=).
	@PYUSDT_TEST_PACKAGES="$(PACKAGES)" tools/test -m packages $(PYTEST_ARGS)

asan: all $(VENV)/ready.test ## Run storms, lifecycle and more under the address sanitizers (PYTEST_ARGS=).
	@tools/sanitize asan $(PYTEST_ARGS)

tsan: all $(VENV)/ready.test ## Run storms, exits and more under the thread sanitizer (PYTEST_ARGS=).
	@tools/sanitize tsan $(PYTEST_ARGS)

storms: all $(VENV)/ready.test ## Kills, signals, launches and tracers at random (LONG=1: an hour; prints figures).
	@tools/test tests/storms $(if $(LONG),-rP) $(PYTEST_ARGS)

leaks: all $(VENV)/ready.test ## Loops that may leave nothing behind: memory, references, files (LONG=1).
	@tools/test -m leaks $(PYTEST_ARGS)

fuzz: all ## Fuzz texts, filters and settings for 20 s each (LONG=1: 10 minutes each).
	@tools/fuzz

lint: all $(VENV)/ready.lint ## Check the sources with every linter; change nothing.
	@tools/lint

format: $(VENV)/ready.lint ## Format the Python and C sources in place.
	@tools/lint --fix

bench: all ## Measure what pyusdt and its peers cost (minutes; root; LONG=1).
	@tools/tracefs
	@$(PY) -m bench $(if $(LONG),--long)

docs: all $(VENV)/ready.docs ## Build the documentation into .cache/docs; a warning fails.
	@$(PY) -m docs

man: all ## Write the man pages anew, from the parsers of the command line.
	@$(PY) -m docs man

picture: all ## Make the README's picture of a report anew (needs chromium).
	@$(PY) tools/picture

dist: ## Make and check what is published: sdist, wheels for x86-64 and aarch64 (minutes).
	@tools/dist

clean: ## Remove what make and the tests made.
	@tools/clean

help: ## List the targets.
	@awk 'BEGIN { FS = ":.*?## " } \
		/^##@/ { printf "%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# tools/setup checks whether there is something to do, and touches its stamp only then.
$(VENV)/ready.%: FORCE
	@tools/setup $(VENV) $* $(PYTHON)

$(VENV)/ready.test $(VENV)/ready.lint $(VENV)/ready.docs: $(VENV)/ready.build

# Rewritten when the compiler, the flags or the list of sources changes.
.cache/built-with: FORCE
	@mkdir -p $(@D)
	@echo '$(BUILT_WITH)' | cmp -s - $@ || echo '$(BUILT_WITH)' > $@

# The library has another name in a free-threaded build; the name of the link is always the same.
libpyusdt.so: $(VENV)/ready.build .cache/built-with $(SOURCES)
	@rm -f pyusdt/*.so $@
	$(PY) setup.py -q build_ext --force --inplace --build-temp .cache/build --build-lib .cache/build
	@ln -s pyusdt/libpyusdt.*so $@
