#!/usr/bin/env bash
# `make test-full` after `make test`: what takes long. Each story here is marked `#[ignore]` in tests/tests/all and reads
# WEIR_LONG, a factor on its length. Later long runs (soak, stress, fuzzing, large differentials) belong here too.
set -euo pipefail
cd "$(dirname "$0")/../.."
export WEIR_LONG=${WEIR_LONG:-10}
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --exclude weir-bench --exclude weir-bench-cel --exclude weir-bench-policy --exclude weir-bench-adapters --run-ignored only --no-tests pass --test-threads 1
else
    cargo test --workspace --exclude weir-bench --exclude weir-bench-cel --exclude weir-bench-policy --exclude weir-bench-adapters -- --ignored --test-threads 1
fi
bash tests/make/stress.sh
bash tests/make/fuzz.sh
