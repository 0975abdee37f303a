#!/usr/bin/env bash
# `make stress`: what `make test` does a few times, often, with an optimised host and nothing else beside it. Prints a line
# for each kind of misdeed, one for the swaps, and one for each hostile document and request.
set -euo pipefail
cd "$(dirname "$0")/../.."
export WEIR_STRESS=1
cargo test --release -p weir-adapters --test all -- --nocapture --test-threads 1 \
    stress:: swap::swaps_under_load breaker::

# Hostile input: an optimised engine is held to its bounds.
cargo build --release -p weir
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
WEIR_STRICT=1 WEIR_BIN=$target/release/weir \
    cargo test -p weir-tests --test all -- --nocapture --test-threads 1 hostile::large
