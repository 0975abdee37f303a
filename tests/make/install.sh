#!/usr/bin/env bash
# Puts WEIR, the plugins, manual pages and shell completions under PREFIX.
set -euo pipefail
weir=${1:?usage: install.sh WEIR PLUGINS PREFIX} plugins=$2 prefix=$3
bin=$prefix/bin share=$prefix/share
install -d "$bin" "$prefix/lib/weir/plugins" "$share/man/man1" "$share/bash-completion/completions" \
    "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
install -m 755 "$weir" "$bin/weir"
install -m 644 "$plugins"/*.wasm "$prefix/lib/weir/plugins/"
"$weir" completions bash > "$share/bash-completion/completions/weir"
"$weir" completions zsh > "$share/zsh/site-functions/_weir"
"$weir" completions fish > "$share/fish/vendor_completions.d/weir.fish"
"$weir" man "$share/man/man1"
printf 'installed %s, plugins in %s, completions and manual pages in %s\n' "$bin/weir" "$prefix/lib/weir/plugins" "$share"
printf 'try: weir serve --config deploy/samples/shop --plugin-dir %s\n' "$prefix/lib/weir/plugins"
