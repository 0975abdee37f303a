#!/usr/bin/env bash
# `make fuzz`: the fuzz targets of weir-cel, SECONDS_EACH seconds each (60). What crashes is left in target/fuzz/crashes and
# belongs into engine/cel/tests/all/hostile.rs. Without cargo-fuzz or a nightly toolchain it says so and is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
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

mkdir -p "$fuzz/crashes"
WEIR_CEL_SEEDS=$fuzz cargo test -q -p weir-cel --test all -- --exact seeds::most_seeds_are_expressions
cd engine/cel
# There is no unsafe code to sanitize: without sanitizers it is twice as fast.
cargo +nightly fuzz build -s none --target-dir "$fuzz"
outcome=0
for name in parse check run; do
    mkdir -p "$fuzz/found/$name"
    printf '\n== %s, %s s\n' "$name" "$seconds"
    cargo +nightly fuzz run -s none --target-dir "$fuzz" "$name" "$fuzz/found/$name" "$fuzz/corpus" -- \
        -max_total_time="$seconds" -timeout=20 -max_len=2000 -dict="$fuzz/cel.dict" -print_final_stats=1 \
        -artifact_prefix="$fuzz/crashes/$name-" -verbosity=0 || outcome=1
done
exit $outcome
