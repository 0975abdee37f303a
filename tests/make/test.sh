#!/usr/bin/env bash
# `make test`: stages one after another, each with its time, and a table of what ran, what failed and what was skipped.
# A stage that fails does not stop the next, unless nothing can be built.
set -uo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
reports=$target/test
rm -rf "$reports" && mkdir -p "$reports"
export WEIR_SKIPS="$PWD/$reports/skips"
case $target in /*) export WEIR_SKIPS="$reports/skips" ;; esac
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
: > "$WEIR_SKIPS"
began=$(date +%s)
names=() outcomes=() times=() passed=0 failed=0 skipped=0 broken=0

stage() {
    local name=$1; shift
    printf '\n== %s\n' "$name"
    local from; from=$(date +%s)
    "$@" 2>&1 | tee "$reports/$name.log"
    local status=${PIPESTATUS[0]}
    local took=$(( $(date +%s) - from )) outcome=ok
    if [ "$status" != 0 ]; then outcome=FAILED; broken=1; fi
    names+=("$name"); outcomes+=("$outcome$(count "$reports/$name.log")"); times+=("$took")
    printf -- '-- %s: %s, %d s\n' "$name" "$outcome" "$took"
    return "$status"
}

# What the runner's closing lines say: nextest's summary, or the sum of cargo test's results.
count() {
    local ran pass fail ignored
    pass=$(numbers "$1" passed); fail=$(numbers "$1" failed); ignored=$(numbers "$1" 'skipped|ignored')
    ran=$((pass + fail))
    if [ "$ran" != 0 ]; then
        printf ' (%d passed, %d failed, %d left out)' "$pass" "$fail" "$ignored"
    fi
}

numbers() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | grep -E '^ *Summary \[|^test result: ' \
        | grep -oE "[0-9]+ ($2)" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Always the same selection of packages, so that no stage builds again what another has built with other features.
runner() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --exclude weir-bench --exclude weir-bench-cel --exclude weir-bench-policy --exclude weir-bench-adapters --lib --bins --tests \
            --no-fail-fast --status-level fail --final-status-level fail -E "$1"
    else
        echo "cargo-nextest is not here: cargo test runs the same, slower (cargo install --locked cargo-nextest)"
        shift
        cargo test --no-fail-fast --lib --bins --tests "$@"
    fi
}

build() {
    cargo build -p weir -p weir-tests --bins && bash tests/make/plugins.sh "$target/plugins/dist" \
        && bash tests/make/filters.sh "$target/filters/dist"
}
unit() { runner 'not package(weir-tests)' --workspace --exclude weir-tests --exclude weir-bench --exclude weir-bench-cel --exclude weir-bench-policy --exclude weir-bench-adapters; }
stories() { runner 'package(weir-tests)' -p weir-tests; }
demo() { "$target/debug/demo"; }
envoy_demo() {
    if [ -x "$target/tools/venv/bin/envoy" ]; then ENVOY=1 "$target/debug/demo"; else
        printf 'the tour through Envoy\tneeds envoy 1.40\tmake tools\n' >> "$WEIR_SKIPS"; [ -z "${CI:-}" ]
    fi
}

table() {
    local total=$(( $(date +%s) - began )) i
    printf '\n%-12s %-48s %s\n' stage outcome seconds
    for i in "${!names[@]}"; do printf '%-12s %-48s %7d\n' "${names[$i]}" "${outcomes[$i]}" "${times[$i]}"; done
    printf '%-12s %-48s %7d\n' total "" "$total"
    if [ -s "$WEIR_SKIPS" ]; then
        printf '\nskipped, and how to run it\n'
        sort -u "$WEIR_SKIPS" | awk -F '\t' '{ printf "  %-48s %-44s %s\n", $1, $2, $3 }'
        skipped=$(sort -u "$WEIR_SKIPS" | wc -l)
        if [ -n "${CI:-}" ]; then broken=1; fi
    else
        printf '\nnothing was skipped\n'
    fi
    for i in unit stories; do
        [ -f "$reports/$i.log" ] || continue
        passed=$((passed + $(numbers "$reports/$i.log" passed))); failed=$((failed + $(numbers "$reports/$i.log" failed)))
    done
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    if [ "$broken" = 1 ]; then echo "make test: FAILED (logs in $reports)"; fi
    exit "$broken"
}

# Missing tools are no failure of this stage: the stories that need them say so, and in CI fail.
stage tools bash tests/make/tools.sh all || broken=0
stage fmt cargo fmt --all --check
stage build build || table
# As above: stories about plugins say what is missing.
stage authors bash tests/make/authors.sh "$target/debug/weir" || broken=0
export WEIR_BIN="$PWD/$target/debug/weir" WEIR_PLUGINS="$PWD/$target/plugins/dist" WEIR_FILTERS="$PWD/$target/filters/dist"
case $target in /*) export WEIR_BIN="$target/debug/weir" WEIR_PLUGINS="$target/plugins/dist" WEIR_FILTERS="$target/filters/dist" ;; esac
stage unit unit
stage stories stories
stage demo demo
stage envoy-demo envoy_demo
table
