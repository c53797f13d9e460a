# make run    the e-counter on this machine, with a demonstration county
# make test   every check, the browser included
PYTHON_IN_VENV := .venv/bin/python
CATALOGUES := $(wildcard webapp/translations/*/LC_MESSAGES/*.po)
COMPILED := $(CATALOGUES:.po=.mo)
LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

# for run: make run HOST=0.0.0.0 PORT=8080 WORKERS=4
OPTIONS := $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT)) $(if $(WORKERS),--workers $(WORKERS))
# for tests: make pytest ARGS="tests/unit -k clock"
ARGS ?=

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run test test-full lint pytest environment dev-environment chromium translations lock clean

help:
	@echo 'make run        start the e-counter here (HOST=, PORT=, WORKERS=); Ctrl-C stops it'
	@echo 'make test       lint, types and every test; make test-full adds the full sizes'
	@echo 'make lint       ruff and mypy'
	@echo 'make pytest     some tests: make pytest ARGS="tests/unit -k clock"'
	@echo 'make lock       resolve the dependencies of pyproject.toml into the lock files'
	@echo 'make translations  bring new texts of the pages into webapp/translations, with an empty msgstr'
	@echo 'make clean      remove what was made, except the data under var/'

run: environment $(COMPILED)
	@exec .venv/bin/ecounter run $(OPTIONS)

# Two cores, two halves: what starts no programs of the product runs beside all others, and its report follows.
BESIDE := tests/browser tests/unit tests/integration/jobs tests/integration/letters tests/integration/services \
	tests/functional/test_every_service.py tests/functional/test_english.py
test: lint chromium $(COMPILED)
	@mkdir -p var
	@echo '▸ pytest in two halves; the other one writes var/tests-beside.log'
	@$(PYTHON_IN_VENV) -m pytest $(BESIDE) > var/tests-beside.log 2>&1 & beside=$$!; \
	$(MAKE) --no-print-directory pytest ARGS='$(addprefix --ignore=,$(BESIDE))'; here=$$?; \
	wait $$beside; there=$$?; cat var/tests-beside.log; exit $$((here + there))

test-full: lint chromium
	@$(MAKE) --no-print-directory pytest ARGS='-m "full or not full" $(ARGS)'

lint: dev-environment
	@echo '▸ ruff'
	@$(PYTHON_IN_VENV) -m ruff check .
	@echo '▸ mypy'
	@$(PYTHON_IN_VENV) -m mypy

pytest: dev-environment $(COMPILED)
	@echo '▸ pytest'
	@$(PYTHON_IN_VENV) -m pytest $(ARGS)

environment:
	@bash tools/environment.sh run

dev-environment:
	@bash tools/environment.sh dev

chromium:
	@bash tools/chromium.sh

translations: environment
	@$(PYTHON_IN_VENV) -m babel.messages.frontend -q extract -F pyproject.toml -o var/messages.pot \
		--no-wrap --add-location=file --sort-by-file webapp
	@$(PYTHON_IN_VENV) -m babel.messages.frontend -q update -i var/messages.pot -d webapp/translations \
		--no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

%.mo: %.po | environment
	@$(PYTHON_IN_VENV) -m babel.messages.frontend -q compile -i $< -o $@

lock: dev-environment
	@.venv/bin/uv --version >/dev/null 2>&1 || $(PYTHON_IN_VENV) -m pip install --quiet uv
	$(LOCK) --group build -o requirements-build.lock
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --group peers -c requirements-dev.lock -o requirements-peers.lock

clean:
	rm -rf .venv *.egg-info build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find webapp -name '*.mo' -delete
