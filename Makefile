# Everything that continuous integration does can be done here.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := src schemas adapters inference tests benchmarks
WHEEL_VENV ?= .venv-wheel

# Who judges our stages: older USD, and NVIDIA's rules. Beside the USD that is installed.
PEERS := $(foreach peer,usd-core-25.11 usd-core-26.8 usd-validation-nvidia-1.22.0,.peers/$(peer)/.ready)

# What a wheel can lack: modules, data, entry points. All else is tested once, in `test`.
WHEEL_TESTS := tests/test_layout.py tests/test_readme.py tests/schemas \
	$(foreach part,cli fitting matching publish verbs,tests/front/test_$(part).py) \
	$(foreach part,plugin files usd_schema usd_package usd_meaning,tests/adapters/test_$(part).py)

.PHONY: demo test check lint types wheel peers blender bench golden schema format links clean

demo: $(READY)
	$(BIN)/castline demo -o demo

test: $(READY) lint types peers
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: test wheel

$(READY): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip<27' setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(READY)

lint: $(READY)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

# What ships is what is checked: static tools cannot follow an editable install.
types: $(READY)
	rm -rf build && $(BIN)/python -m pip install --quiet --no-deps --target build/types .
	MYPYPATH=build/types $(BIN)/python -m mypy --config-file setup.cfg -p castline

# Build the wheel, install it alone, look inside, test it.
wheel: $(READY) peers
	rm -rf build dist $(WHEEL_VENV)
	$(BIN)/python -m build --wheel --outdir dist
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet -c constraints.txt "$$(ls dist/*.whl)[all]" \
		hypothesis jinja2 jsonschema pycmx pytest pytest-xdist tinyusdz
	$(WHEEL_VENV)/bin/python -m pytest -n 2 -m 'not corpus' $(WHEEL_TESTS)

peers: $(PEERS) .peers/people/.ready

# Labelled photographs that a Debian source package holds; without them their tests are skipped.
.peers/people/.ready: tests/people.py | $(READY)
	$(BIN)/python tests/people.py .peers/people && touch $@ || echo "people: not fetched"

# A gigabyte, for the tests that ask Blender; without it they are skipped.
blender: .peers/bpy-4.5.0/.ready

.peers/bpy-4.5.0/.ready: | $(READY)
	rm -rf .peers/bpy-4.5.0
	$(BIN)/python -m pip install --quiet --target .peers/bpy-4.5.0 bpy==4.5.0
	touch $@

# Without dependencies: NVIDIA's asks for an older USD than ours, and does not need it.
.peers/%/.ready: | $(READY)
	rm -rf .peers/$*
	$(BIN)/python -m pip install --quiet --no-deps --target .peers/$* \
		"$$(echo $* | sed 's/-\([0-9.]*\)$$/==\1/')"
	touch $@

bench: $(READY)
	$(BIN)/python benchmarks/carriers.py
	$(BIN)/python benchmarks/stages.py
	$(BIN)/python benchmarks/publishing.py
	$(BIN)/python benchmarks/faces.py
	$(BIN)/python benchmarks/embedding.py
	$(BIN)/python benchmarks/cut.py

# Rewrite the expected outputs; people review the difference.
golden: $(READY)
	CASTLINE_GOLDEN=write $(BIN)/python -m pytest -n 2 -k golden_losses
	$(BIN)/python -m tests.readme_table

schema: $(READY)
	$(BIN)/python -c "from castline.schemas.jsonschema import schema_text; print(schema_text(), end='')" \
		> schemas/castline.schema.json.new && mv schemas/castline.schema.json.new schemas/castline.schema.json
	$(BIN)/python -m tests.usd_schema

format: $(READY)
	$(BIN)/ruff format $(SOURCES) && $(BIN)/ruff check --fix $(SOURCES)

# For editors: git-ignored links that static tools can follow.
links:
	for name in adapters schemas inference; do ln -sfn ../../$$name src/castline/$$name; done

clean:
	rm -rf build dist demo .peers $(VENV) $(WHEEL_VENV) src/*.egg-info
