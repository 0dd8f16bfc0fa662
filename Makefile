# `make` alone lists the targets. CARGO_TARGET_DIR, TEAL_HAPROXY and TEAL_POSTGRES_BIN are respected.

.DEFAULT_GOAL := help
.PHONY: help demo recording test fmt lint bench doc install-deps install-haproxy

# Debian keeps haproxy in /usr/sbin, which is not in the PATH of its users.
export PATH := $(PATH):/usr/sbin
CARGO ?= cargo
# --locked: what was tested is what is built.
FLAGS ?= --locked
# The load generator, the proxy and both colours share the machine; unoptimised they would measure themselves.
DEMO_PROFILE ?= release
TARGET = $(or $(CARGO_TARGET_DIR),target)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install-haproxy ## a good release, then a bad one that takes itself back (options: make demo ARGS="--rps 1000")
	@echo "building teal ($(DEMO_PROFILE)): 6 to 12 minutes on two cores the first time; the last line, teal itself,"
	@echo "stands still for 3 to 7 of them"
	$(CARGO) run $(FLAGS) --profile $(DEMO_PROFILE) --package teal --bin teal -- demo $(ARGS)

recording: install-haproxy ## the moving picture in the README anew: the demo, recorded in a pseudo terminal
	$(CARGO) build $(FLAGS) --profile $(DEMO_PROFILE) --package teal --bin teal
	$(CARGO) run $(FLAGS) --package teal-testkit --example recording -- docs/demo.svg \
		--title "teal demo: a good release, then a bad one that takes itself back" $(TARGET)/$(DEMO_PROFILE)/teal demo

test: install-deps ## every test, with cargo-nextest where it is installed
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -ex; $(CARGO) nextest run $(FLAGS) --workspace --no-fail-fast; $(CARGO) test $(FLAGS) --workspace --doc; \
	else \
		set -ex; $(CARGO) test $(FLAGS) --workspace --no-fail-fast; \
	fi

fmt: ## format the code
	$(CARGO) fmt --all

lint: ## formatting, clippy and, where it is installed, cargo-deny
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy $(FLAGS) --workspace --all-targets -- --deny warnings
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
		set -ex; $(CARGO) deny check; \
	else \
		echo "cargo-deny is not installed: licences, bans and advisories were not checked (cargo install cargo-deny)"; \
	fi

bench: ## every benchmark
	$(CARGO) bench $(FLAGS) --workspace

doc: ## the API documentation, its warnings being errors
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc $(FLAGS) --workspace --no-deps

install-deps: ## check for Rust and a C compiler, install what the tests need, without starting any service
	@.ci/install-deps
	@.ci/install-providers

install-haproxy:
	@.ci/install-deps haproxy

# build, install, uninstall, package.
include packaging/install.mk

# Releases by the names that shell scripts had: docs/from-scripts.md.
include examples/from-scripts/teal.mk
