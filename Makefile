# Weir's verbs. `make` alone lists them. Nothing here needs root; what needs Python or Debian packages says so.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
PREFIX ?= /usr/local
PLUGINS := $(TARGET)/plugins/dist

.PHONY: help demo up build plugins tools test test-full fuzz bench install fmt clippy deny ci clean

help: ## this list
	@printf 'Weir: may this request pass, and what happened.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nFirst: make demo   (needs only Rust; with ENVOY=1 also Python, for a real Envoy)\n'

demo: build plugins ## the tour: engine, sidecar and upstream on free ports, a dozen requests, one table
	@$(if $(ENVOY),bash tests/make/tools.sh envoy,true)
	@WEIR_BIN=$(TARGET)/debug/weir WEIR_PLUGINS=$(PLUGINS) $(if $(ENVOY),ENVOY=1) $(TARGET)/debug/demo

up: build plugins ## the same mesh, left running; prints its URLs, Ctrl-C ends it
	@$(if $(ENVOY),bash tests/make/tools.sh envoy,true)
	@WEIR_BIN=$(TARGET)/debug/weir WEIR_PLUGINS=$(PLUGINS) $(if $(ENVOY),ENVOY=1) $(TARGET)/debug/demo up

build: ## weir and the demo, unoptimised
	@printf '== weir (the first time a few minutes: about 400 crates)\n'
	@$(CARGO) build -p weir -p weir-tests --bins

plugins: ## the Wasm plugins that ship with Weir, to $(TARGET)/plugins/dist
	@bash tests/make/plugins.sh $(PLUGINS)

tools: build ## what the tests need of others: Envoy, an OTLP receiver, promtool, and what plugins are built with
	@bash tests/make/tools.sh all; bash tests/make/authors.sh $(TARGET)/debug/weir

test: ## everything that runs in CI; sets up what it needs, ends with a table
	@bash tests/make/test.sh

stress: ## 10,000 misdeeds of each kind, 1,000 hot swaps under load, hostile input; optimised
	@bash tests/make/stress.sh

test-full: test ## make test, then what takes long
	@bash tests/make/full.sh

fuzz: ## the fuzz targets of CEL, configurations and policies, 60 s each (SECONDS_EACH=600 for more); needs nightly
	@bash tests/make/fuzz.sh

bench: plugins ## CPU per check and proxied request against floor servers, CEL against the crate cel, policies by number, calls of plugins
	@$(CARGO) build --release -p weir -p weir-bench
	@$(CARGO) build --release -p weir-bench-cel -p weir-bench-policy -p weir-bench-adapters
	@$(CARGO) build --release --target wasm32-wasip2 --manifest-path tests/bench-adapters/guest/Cargo.toml --target-dir $(TARGET)/plugins
	@missed=0; \
	WEIR_BIN=$(TARGET)/release/weir WEIR_PLUGINS=$(PLUGINS) $(TARGET)/release/bench || missed=1; \
	$(TARGET)/release/weir-bench-cel || missed=1; \
	$(TARGET)/release/weir-bench-policy || missed=1; \
	$(TARGET)/release/weir-bench-adapters $(TARGET)/plugins/wasm32-wasip2/release || missed=1; \
	exit $$missed

install: plugins ## weir, its plugins, manual pages and completions to PREFIX (/usr/local)
	@$(CARGO) build --release -p weir
	@bash tests/make/install.sh $(TARGET)/release/weir $(PLUGINS) '$(PREFIX)'

fmt: ## formats
	@$(CARGO) fmt --all
	@$(CARGO) fmt --all --manifest-path plugins/Cargo.toml
	@$(CARGO) fmt --all --manifest-path tests/filters/Cargo.toml

clippy: ## lints; a warning is an error
	@$(CARGO) clippy --workspace --all-targets -- -D warnings

deny: ## licences, bans and sources of every dependency
	@$(CARGO) deny --version >/dev/null 2>&1 || { echo 'needs cargo-deny: cargo install --locked cargo-deny'; exit 1; }
	@$(CARGO) deny check bans licenses sources

ci: clippy test ## what must pass before a change lands

clean: ## removes what was built, the tools too
	@$(CARGO) clean
