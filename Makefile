# How to start, stop, test and check Ogrewatch. `make` lists it.
# PYTHON chooses the interpreter of .venv. The OGREWATCH_* settings of the environment reach every target.

.DEFAULT_GOAL := help
.PHONY: help up down clean test check lock
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 8

up: ## Start everything with a demonstration; returns when the first events are searchable
	@scripts/bootstrap
	@.venv/bin/ogrewatch up

down: ## Stop everything; the data stays
	@[ -x .venv/bin/ogrewatch ] || scripts/bootstrap
	@.venv/bin/ogrewatch down

clean: ## Stop everything and remove the data; the cache of downloads and .venv stay
	@[ -x .venv/bin/ogrewatch ] || scripts/bootstrap
	@.venv/bin/ogrewatch down --remove-data

test: ## Run the whole test suite in two processes, on servers of its own; ARGS="..." goes to pytest
	@scripts/bootstrap dev
	@.venv/bin/pytest -n 2 --no-loadscope-reorder $(ARGS)

check: ## Run linters, type checker, import rules and the search for duplicates
	@scripts/bootstrap dev
	@scripts/check

lock: ## Resolve the Python dependencies anew
	@scripts/bootstrap dev
	@scripts/lock
