# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything that a target needs it installs itself: on Debian 12, as root, with git, make and Python 3.11.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

# The lab's environment comes after the packages that building it needs.
PREPARE := tests/lab/lab prepare
GATES := "$$(tests/lab/venv path)/bin/python" tests/gates/run

.PHONY: help
help: ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: ## break a real guest, bring it back, and show how (DEMO_KEEP=1 leaves it up)
	@$(PREPARE)
	tests/lab/demo

.PHONY: check
check: ## the quick gates: lint, types, sanity, unit tests
	@$(PREPARE)
	$(GATES) check

.PHONY: test
test: ## every gate: check, the built artifact, real guests, molecule, the whole way
	@$(PREPARE)
	trap 'tests/lab/lab down >/dev/null; tests/lab/cloud/cloud down >/dev/null' EXIT
	$(GATES) test

.PHONY: gate
gate: ## some gates by name: make gate GATE="ruff mypy"
	@$(PREPARE)
	$(GATES) $(GATE)

.PHONY: prove-layouts
prove-layouts: ## every layout of a patient's disks: boot it, break it, repair it (hours, not part of test)
	@$(PREPARE)
	trap 'tests/lab/lab down >/dev/null' EXIT
	$(GATES) prove-layouts

.PHONY: prove-killed
prove-killed: ## a recovery killed at ten moments, and the same command again (half an hour, not part of test)
	@$(PREPARE)
	trap 'tests/lab/lab down >/dev/null' EXIT
	$(GATES) prove-killed

.PHONY: prove-tempest
prove-tempest: ## the lab's cloud passes the tests of rescue that real clouds have to pass (not part of test)
	@$(PREPARE)
	trap 'tests/lab/cloud/cloud down >/dev/null; tests/lab/lab down >/dev/null' EXIT
	$(GATES) prove-tempest

.PHONY: matrix
matrix: ## each ansible-core that we claim, on the Pythons that are here (an hour; CORE=2.16: that row alone)
	@$(PREPARE)
	trap 'tests/lab/lab down >/dev/null' EXIT
	$(GATES) $(if $(CORE),matrix-$(CORE),matrix)

.PHONY: bench
bench: ## measure boot, downtime and diagnosis, each as a ratio
	@$(PREPARE)
	tests/lab/bench

.PHONY: cloud
cloud: ## start a small real OpenStack on 127.0.0.1, print where its clouds.yaml is
	@tests/lab/cloud/cloud up

.PHONY: cloud-down
cloud-down: ## stop that cloud, and remove everything of it but the cache
	@tests/lab/cloud/cloud down

.PHONY: build
build: ## build the collection's artifact into build/
	@$(PREPARE)
	"$$(tests/lab/venv path)/bin/ansible-galaxy" collection build --force --output-path build

.PHONY: docs
docs: ## write the pages that are made from the code: those of the faults, and their table in README.md
	@PYTHONPATH="$$(tests/lab/venv tree)" "$$(tests/lab/venv path)/bin/python" tests/gates/fault_pages.py

.PHONY: format
format: ## let ruff format the Python sources
	@"$$(tests/lab/venv path)/bin/ruff" format

.PHONY: clean
clean: ## stop the lab and remove what was built here; the cache of guests and environments stays
	@tests/lab/lab down
	@tests/lab/cloud/cloud down
	rm -rf build .ansible .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
