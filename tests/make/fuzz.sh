#!/usr/bin/env bash
# `make fuzz`: the fuzz targets of weir-cel and weir-config, SECONDS_EACH seconds each (60). What crashes is left in
# target/fuzz/crashes and belongs into engine/cel/tests/all/hostile.rs or engine/config's tests. Without cargo-fuzz or a nightly
# toolchain it says so and is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$root/$target ;; esac
fuzz=$target/fuzz
seconds=${SECONDS_EACH:-60}
export PATH="$target/tools/cargo-fuzz/bin:$PATH"
install="cargo install cargo-fuzz --locked --root target/tools/cargo-fuzz"

skip() {
    echo "skipped: needs cargo-fuzz and nightly: $1"
    exit 0
}
cargo +nightly --version >/dev/null 2>&1 || skip "rustup toolchain install nightly && $install"
if ! command -v cargo-fuzz >/dev/null; then
    echo "== cargo-fuzz into target/tools"
    CARGO_TARGET_DIR=$fuzz/install cargo install cargo-fuzz --locked --root "$target/tools/cargo-fuzz" || skip "$install"
fi

mkdir -p "$fuzz/crashes" "$fuzz/configurations"
WEIR_CEL_SEEDS=$fuzz cargo test -q -p weir-cel --test all -- --exact seeds::most_seeds_are_expressions
# JSON is YAML: each document of the conformance cases is a seed, and so are the samples.
find deploy/samples -name '*.yaml' | while read -r file; do cp "$file" "$fuzz/configurations/${file//\//-}"; done
for kind in valid invalid; do
    sed -E 's/^.*"yaml": //; s/, "[a-z]+": [^{}]*\}$//' "tests/conformance/cases/authz-$kind.jsonl" | split -l 1 -a 4 - "$fuzz/configurations/$kind-"
done

outcome=0
# run CRATE CORPUS MAX_LEN DICTIONARY TARGETS: builds the targets of a crate and runs each
run() {
    local crate=$1 corpus=$2 longest=$3 dictionary=$4
    shift 4
    cd "$root/$crate"
    # There is no unsafe code to sanitize: without sanitizers it is twice as fast.
    cargo +nightly fuzz build -s none --target-dir "$fuzz"
    for name in "$@"; do
        mkdir -p "$fuzz/found/$name"
        printf '\n== %s, %s s\n' "$name" "$seconds"
        cargo +nightly fuzz run -s none --target-dir "$fuzz" "$name" "$fuzz/found/$name" "$corpus" -- \
            -max_total_time="$seconds" -timeout=20 -max_len="$longest" $dictionary -print_final_stats=1 \
            -artifact_prefix="$fuzz/crashes/$name-" -verbosity=0 || outcome=1
    done
}
run engine/cel "$fuzz/corpus" 2000 "-dict=$fuzz/cel.dict" parse check run
run engine/config "$fuzz/configurations" 8000 "" configuration request
exit $outcome
