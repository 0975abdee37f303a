#!/usr/bin/env bash
# Builds the proxy-wasm filter of the tests and puts it into FOLDER as filters.wasm, whole at once.
set -euo pipefail
folder=${1:?usage: filters.sh FOLDER}
cd "$(dirname "$0")/../.."
root=${CARGO_TARGET_DIR:-target}/filters

# rust-toolchain.toml asks for the target; a toolchain that was there before may lack it.
if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx wasm32-wasip1; then
    rustup target add wasm32-wasip1
fi
cargo build --release --locked --target wasm32-wasip1 --manifest-path tests/filters/Cargo.toml --target-dir "$root"

mkdir -p "$folder"
built=$root/wasm32-wasip1/release/weir_test_filters.wasm
if ! cmp -s "$built" "$folder/filters.wasm"; then
    cp "$built" "$folder/filters.half.$$"
    mv "$folder/filters.half.$$" "$folder/filters.wasm"
fi
