#!/usr/bin/env bash
# `make stress`: what `make test` does a few times, often, with an optimised host and nothing else beside it. Prints a line
# for each kind of misdeed and one for the swaps.
set -euo pipefail
cd "$(dirname "$0")/../.."
export WEIR_STRESS=1
cargo test --release -p weir-adapters --test all -- --nocapture --test-threads 1 \
    stress:: swap::swaps_under_load breaker::
