# The manual of this repository: `make` lists the commands.
.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-fast test-postgresql fuzz chaos simulate check fix bench bench-api bench-scheduler bench-sdk bench-replay bench-drift bench-webhooks lock clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)

help:            ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:           ## install what is missing: apt packages when root, then .venv from requirements.lock
	@tools/setup

demo: setup      ## watch a workflow drive a legacy clinic program, three runs in under a minute
	@python demo/run_demo.py

up: setup        ## a server on this machine, its data in ./var
	@cyberdesk-server up --data-dir var

test: test-fast  ## every test: real databases, real sockets, real X displays (about ten minutes on two cores)
	@python -m pytest -q -n 2 -m "broad and not slow" --timeout 60
	@python -m pytest -q -n 2 --dist loadscope --no-loadscope-reorder -m slow

test-fast: setup ## the tests that need less than a minute together
	@python -m pytest -q -n 2 -m "not slow and not broad" --timeout 60

test-postgresql: setup ## the tests of the server that run on SQLite, on PostgreSQL: about five minutes
	@python -m pytest -q -n 2 -m "not slow" --timeout 120 --database postgresql packages/server/tests

fuzz: setup      ## ten minutes of requests nobody would think of; SECONDS=60 SEED=1 DATABASE=postgresql change that
	@python -m fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(DATABASE),--database $(DATABASE))

chaos: setup     ## kill servers, drivers and the database 200 times while runs go on; ROUNDS=20 SEED=1 DATABASE=postgresql change that
	@python -m chaos $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(if $(DATABASE),--database $(DATABASE))

simulate: setup  ## the server through deaths, freezes and lost messages, in simulated time; SEEDS=10000 FIRST=1 or SEED=7 change that
	@python -m simulation $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first $(FIRST)) $(if $(SEED),--seed $(SEED) --verbose)

check: setup     ## lint, format, types, import contracts, generated code
	@ruff check
	@ruff format --check
	@mypy
	@lint-imports --no-logo
	@python packages/sdk/tools/generate_models.py --check

fix: setup       ## let the tools repair what they can
	@ruff check --fix
	@ruff format
	@python packages/sdk/tools/generate_models.py

bench: setup     ## measure, and print a line per goal; NAMES="tunnel memory" measures only these
	@tools/setup bench
	@python -m bench $(NAMES)

bench-api: setup ## measure requests per second beside a bare FastAPI handler on the same database
	@python -m bench api

bench-scheduler: setup ## measure decisions of the scheduler, with up to a million waiting runs, and runs per second
	@tools/setup bench
	@python -m bench scheduler

bench-sdk: setup ## measure our SDK beside the vendor's, each in an environment of its own
	@python -m bench sdk

bench-replay: setup ## measure replays of a twenty-step workflow on the clinic
	@python -m bench replay

bench-drift: setup ## replay a workflow 1000 times on a clinic that drifts, with the guard and without; RUNS=100 SEED=7 change that
	@python -m bench.drift $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED))

bench-webhooks: setup ## kill a sender of webhooks while 100000 events are on their way, and measure delays; EVENTS=20000 DATABASE=sqlite change that
	@python -m bench.webhooks $(if $(EVENTS),--events $(EVENTS)) $(if $(DATABASE),--database $(DATABASE))

lock:            ## write requirements.lock anew (needs uv)
	@uv lock -q
	@uv export -q --format requirements-txt --all-groups --no-emit-workspace --no-header --no-annotate -o requirements.lock
	@uv pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		-c requirements.lock bench/requirements.in -o bench/requirements.lock
	@uv pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		bench/vendor-sdk.requirements.in -o bench/vendor-sdk.requirements.lock
	@uv pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		-c bench/vendor-sdk.requirements.lock packages/sdk/pyproject.toml -o bench/our-sdk.requirements.lock
	@for name in svix-1 svix-2 standardwebhooks; do \
		uv pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
			tests/compat/receivers/$$name.requirements.in -o tests/compat/receivers/$$name.requirements.lock || exit 1; \
	done

clean:           ## remove what was made here
	rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
