#!/usr/bin/env bash
# Builds the plugins that ship with Weir and puts them into FOLDER as NAME.wasm, each whole at once.
set -euo pipefail
folder=${1:?usage: plugins.sh FOLDER}
cd "$(dirname "$0")/../.."
root=${CARGO_TARGET_DIR:-target}/plugins

# rust-toolchain.toml asks for the target; a toolchain that was there before may lack it.
if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx wasm32-wasip2; then
    rustup target add wasm32-wasip2
fi
cargo build --release --target wasm32-wasip2 --manifest-path plugins/Cargo.toml --target-dir "$root"

mkdir -p "$folder"
for plugin in plugins/*/weir-plugin.toml; do
    name=$(basename "$(dirname "$plugin")")
    built=$root/wasm32-wasip2/release/${name//-/_}.wasm
    # A plugin for tests only is not a default member, so it may not have been built.
    if [ -f "$built" ] && [ "$name" != misbehave ] && ! cmp -s "$built" "$folder/$name.wasm"; then
        cp "$built" "$folder/$name.half.$$"
        mv "$folder/$name.half.$$" "$folder/$name.wasm"
    fi
done
