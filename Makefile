# Two commands matter: `make demo` shows what pantler is for, `make test` passes every test.
# Both set up what they need: Rust's packages through cargo, Python's (for the tests alone) in .venv.

CARGO  ?= cargo
PYTHON ?= python3
PANTLER = target/debug/pantler
VENV    = .venv
DEMO   ?= demo

WHEELS  = target/wheels

.PHONY: demo test test-rust test-killed test-python test-package wheel installed docs check build doc clean

## Simulates a sky, two processing steps, and walks through what composites are for.
demo: build
	rm -rf $(DEMO)
	$(PANTLER) demo $(DEMO)

## Every test: Rust (unit, conformance, documentation, command line), the killed program, Python's judgement of our files, the
## Python package, the site.
test: check test-rust test-killed test-python test-package docs

build:
	$(CARGO) build --locked -p pantler-cli

test-rust:
	$(CARGO) test --locked --workspace

# The program with places to be killed at is built beside the normal one, which stays as people get it.
test-killed:
	$(CARGO) test --locked -p pantler-cli --features fail-points --test killed

test-python: build $(VENV)/ready
	PANTLER=$(abspath $(PANTLER)) $(VENV)/bin/python -m pytest -q tests/python

# With the profile of everything else, so that no third-party crate is compiled twice; people's own builds are optimised.
wheel: $(VENV)/ready
	rm -rf $(WHEELS)
	CARGO=$(CARGO) $(VENV)/bin/maturin build --quiet --locked --profile dev --out $(WHEELS)

installed: wheel
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall $(WHEELS)/*.whl

test-package: installed
	PANTLER_WHEELS=$(WHEELS):$(VENV)/wheels $(VENV)/bin/python -m pytest -q tests/python_package
	$(VENV)/bin/python -m mypy
	$(VENV)/bin/python -m mypy examples/*.py
	# The stub against the module that the wheel has, away from the sources, which have none.
	cd $(VENV) && bin/python -m mypy.stubtest pantler --mypy-config-file ../pyproject.toml \
	    --allowlist ../tests/python/stubtest_allow.txt

## The site, in docs/site/built; the reference of the package is what the package says of itself.
docs: build installed
	PANTLER=$(abspath $(PANTLER)) $(VENV)/bin/python -m sphinx -W --keep-going -q -b html docs/site docs/site/built

$(VENV)/ready: tests/python/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	# For the environment that has nothing but the package and this.
	$(VENV)/bin/python -m pip download --quiet --disable-pip-version-check --only-binary :all: --dest $(VENV)/wheels numpy
	touch $@

## The quick part: format, lints, documentation without warnings.
check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	# The program's doc comments are its help texts, in its own notation.
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --exclude pantler-cli --no-deps --quiet

clean:
	$(CARGO) clean
	rm -rf $(VENV) $(DEMO) docs/site/built docs/site/generated
