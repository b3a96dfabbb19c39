# `make demo`, `make serve` and `make test` set up what they need; everything else is for developers.
# Separate environments, because the pieces cannot share one (docs/laptop.md): train, serve, triton.

PYTHON ?= python3.11
TRAIN := .venv/train/bin
SERVE := .venv/serve/bin
PIP_INSTALL := -m pip install -qq --constraint requirements.lock

# Threads that spin while they wait make tests crawl where cores are shared.
export OMP_WAIT_POLICY := PASSIVE

DATA ?=
PORT ?= 8080

.DEFAULT_GOAL := help
.PHONY: help install demo serve test bench-models bench-outfits lint manifests-check lock clean

help: ## Lists these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: .venv/system .venv/train/installed .venv/serve/installed .venv/triton/installed ## Installs the three environments and Debian's packages

demo: install ## From tables to REST answers; DATA=<folder> for your own tables
	@$(TRAIN)/python -m inference.local demo $(if $(DATA),--data '$(DATA)')

serve: install ## Leaves the stack up until Ctrl-C; DATA=<folder> for your own tables
	@$(TRAIN)/python -m inference.local serve $(if $(DATA),--data '$(DATA)')

test: install .venv/train/installed-dev .venv/serve/installed-dev .venv/promtool ## Passes the tests
	$(SERVE)/python -m pytest -m serve_env tests/inference/transformer
	$(TRAIN)/python -m pytest -m 'not serve_env'

bench-models: install .venv/train/installed-dev .venv/bench/installed ## Models against baselines and a peer; DATA=<folder> [QUICK=1] [SAVE=<folder>]
	@test -n '$(DATA)' || { echo "bench-models: expected DATA=<folder of tables or of a public data set>"; exit 2; }
	@$(TRAIN)/python -m benchmarks.models --data '$(DATA)' $(if $(QUICK),--quick) $(if $(SAVE),--save '$(SAVE)')

bench-outfits: install .venv/train/installed-dev ## Outfit models, generation and its latency; DATA=<folder with mango and polyvore> [QUICK=1] [SAVE=<folder>]
	@test -n '$(DATA)' || { echo "bench-outfits: expected DATA=<folder that holds mango and polyvore>"; exit 2; }
	@$(TRAIN)/python -m benchmarks.outfits --data '$(DATA)' $(if $(QUICK),--quick) $(if $(SAVE),--save '$(SAVE)')

lint: .venv/train/installed-dev ## Formatting, lint and types
	$(TRAIN)/ruff format --check .
	$(TRAIN)/ruff check .
	$(TRAIN)/mypy

manifests-check: .venv/train/installed-dev ## Renders and judges every overlay and component combination; RELEASE=<folder> its models, KUBECONFIG=<file> a cluster
	@$(TRAIN)/python -m manifests.checks $(if $(RELEASE),--release '$(RELEASE)')

lock: ## Resolves requirements.lock and those of Triton's and the peer's environments anew
	$(PYTHON) inference/local/lock.py

clean: ## Removes environments and everything the stack wrote
	rm -rf .venv .stylerec build

# Debian's Redis, the shared Python library that Triton's Python backend is linked with, and what
# Debian leaves out of its own Python.
.venv/system:
	@mkdir -p .venv
	@packages=""; \
	command -v redis-server >/dev/null || packages="$$packages redis-server"; \
	ldconfig -p | grep -q 'libpython3.11.so.1.0' || packages="$$packages libpython3.11"; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || packages="$$packages python3.11-venv"; \
	if [ -n "$$packages" ]; then \
	  echo "installing$$packages"; \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends \
	    $$packages >/dev/null; \
	fi
	@touch $@

# Prometheus' test tool out of Debian's package, without the server that the package would start.
.venv/promtool: | .venv/system
	@folder=$$(mktemp -d) && cd $$folder && \
	{ apt-get download -qq prometheus 2>/dev/null || { \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -qq && apt-get download -qq prometheus; }; } && \
	dpkg --extract prometheus_*.deb . && \
	cp usr/bin/promtool '$(CURDIR)/$@'; \
	code=$$?; rm -rf $$folder; exit $$code

.venv/%/bin/python: | .venv/system
	@$(PYTHON) -m venv .venv/$*

.venv/train/installed: .venv/train/bin/python pyproject.toml requirements.lock
	@echo "installing the training environment (TensorFlow, torch, kfp, Feast)"
	@$(TRAIN)/python $(PIP_INSTALL) --editable '.[train]'
	@touch $@

.venv/serve/installed: .venv/serve/bin/python pyproject.toml requirements.lock
	@echo "installing the serving environment (KServe, Feast; no TensorFlow, no torch)"
	@$(SERVE)/python $(PIP_INSTALL) --editable '.[serve]'
	@touch $@

.venv/triton/installed: .venv/triton/bin/python inference/local/triton-requirements.lock
	@echo "installing Triton"
	@.venv/triton/bin/python -m pip install -qq \
	  --requirement inference/local/triton-requirements.lock
	@touch $@

# The peer that benchmarks compare training with: rectools pins numpy below 2.
.venv/bench/installed: .venv/bench/bin/python benchmarks/requirements.lock
	@echo "installing the benchmarks' peer (rectools)"
	@.venv/bench/bin/python -m pip install -qq --requirement benchmarks/requirements.lock
	@touch $@

.venv/train/installed-dev: .venv/train/installed
	@$(TRAIN)/python $(PIP_INSTALL) --editable '.[train,dev,checks,bench]'
	@touch $@

.venv/serve/installed-dev: .venv/serve/installed
	@$(SERVE)/python $(PIP_INSTALL) --editable '.[serve,dev]'
	@touch $@
