# Everything that continuous integration does can be done here.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := src schemas adapters inference tests benchmarks
WHEEL_VENV ?= .venv-wheel

.PHONY: demo test check lint types wheel bench golden schema format links clean

demo: $(READY)
	$(BIN)/castline demo -o demo

test: $(READY) lint types
	$(BIN)/python -m pytest -n 2 --dist loadgroup

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
wheel: $(READY)
	rm -rf build dist $(WHEEL_VENV)
	$(BIN)/python -m build --wheel --outdir dist
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet -c constraints.txt "$$(ls dist/*.whl)[all]" \
		hypothesis jsonschema pycmx pytest pytest-xdist
	$(WHEEL_VENV)/bin/python -m pytest -n 2 -m 'not corpus'

bench: $(READY)
	$(BIN)/python benchmarks/carriers.py

# Rewrite the expected outputs; people review the difference.
golden: $(READY)
	CASTLINE_GOLDEN=write $(BIN)/python -m pytest -n 2 --dist loadgroup -k golden_losses
	$(BIN)/python -m tests.readme_table

schema: $(READY)
	$(BIN)/python -c "from castline.schemas.jsonschema import schema_text; print(schema_text(), end='')" \
		> schemas/castline.schema.json.new && mv schemas/castline.schema.json.new schemas/castline.schema.json

format: $(READY)
	$(BIN)/ruff format $(SOURCES) && $(BIN)/ruff check --fix $(SOURCES)

# For editors: git-ignored links that static tools can follow.
links:
	for name in adapters schemas inference; do ln -sfn ../../$$name src/castline/$$name; done

clean:
	rm -rf build dist demo $(VENV) $(WHEEL_VENV) src/*.egg-info
