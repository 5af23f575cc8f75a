# The only list of commands: `make help` prints it. Each target does its own set-up, in .venv beside this file.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
TALLY := $(RUN) -m cli.main
STAMP := $(VENV)/.installed
RUNS ?= 20
KILLS ?= 10
ORDERS ?= 10000
EXAMPLES ?= 500
ENGINE ?= sqlite
PYTHON_VERSION ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup dev test coverage engines check bench race kills drill faults stateful lambda routes

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16
	@echo
	@echo '  PORT=8001 and DATABASE_URL=sqlite:///other.db override what `make dev` serves.'

setup: $(STAMP) ## make .venv and install everything into it (done by the others, too)
	@:

dev: setup ## migrate, seed the demo shop, serve it with reload on 127.0.0.1:8000
	@$(TALLY) dev

test: check ## everything that CI runs: the checks, then the tests, on a file, on libSQL and on D1
	@$(RUN) -m tools.test

coverage: setup ## how much of the code the tests run: at least 90 %
	@$(RUN) -m tools.test --coverage

engines: setup ## a libSQL primary and replica, and D1 in workerd, until Ctrl-C; prints their URLs
	@$(RUN) -m tools.engines

check: setup ## the fast half: format, lint, types, drift of what is derived, the template
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(TALLY) routes --check
	$(VENV)/bin/cfn-lint template.yaml

bench: setup ## the benchmarks: bare SQL, handlers, server, lists, cold start, growth, a network
	$(RUN) -m bench
	$(RUN) -m bench.times
	$(RUN) -m bench.remote
	$(RUN) -m bench.invariants

race: setup ## the race for the last pieces, RUNS=20 times each way, ENGINE=sqlite, libsql or d1
	@sh tools/race.sh $(RUN) $(RUNS) $(ENGINE)

stateful: setup ## random requests, jobs, waits and crashes against a model of the shop, EXAMPLES=500, ENGINE=sqlite
	ENGINE=$(ENGINE) EXAMPLES=$(EXAMPLES) $(RUN) -m pytest tests/stateful -q -k model_says

lambda: setup ## build the functions for AWS and run each in Lambda's runtime client; PYTHON_VERSION=3.12 for another
	@$(RUN) -m tools.runtime $(PYTHON_VERSION)

kills: setup ## kill -9 of libSQL and of D1 under load, KILLS=10 times each; lost and double orders must be 0
	$(RUN) tests/faults/engine_kills.py --engine libsql --kills $(KILLS)
	$(RUN) tests/faults/engine_kills.py --engine d1 --kills $(KILLS)

drill: setup ## tally backup under load and tally restore elsewhere, on all engines, ORDERS=10000 there already; all must be there
	$(RUN) tests/faults/backup_drill.py --orders $(ORDERS)
	$(RUN) tests/faults/backup_drill.py --orders $(ORDERS) --engine libsql --to d1
	$(RUN) tests/faults/backup_drill.py --orders $(ORDERS) --engine d1 --to sqlite

faults: setup ## break disk, clock, network and processes under a shop; lost and double orders must be 0; 10 minutes
	@$(RUN) -m tests.faults.suite

routes: setup ## derive template.yaml, openapi.json and the reference from the endpoints
	$(TALLY) routes --write

$(STAMP): pyproject.toml constraints.txt tools/setup.sh
	@sh tools/setup.sh '$(PYTHON)' $(VENV)
	@touch $@
