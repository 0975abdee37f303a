#!/usr/bin/env bash
# Sets up what `weir plugin` builds with, in every language, under target/tools/weir: WEIR is the binary.
# What cannot be had is said and left: the stories that need it are skipped (with CI set they fail).
set -uo pipefail
weir=${1:?usage: authors.sh WEIR}
cd "$(dirname "$0")/../.."
export WEIR_CACHE=${WEIR_CACHE:-${CARGO_TARGET_DIR:-$PWD/target}/tools/weir}
outcome=0
for language in rust c js py; do
    "$weir" plugin setup --lang "$language" || outcome=1
done
exit $outcome
