#!/usr/bin/env bash
# Provides prometheus and promtool for tests. Not by apt-get install: Debian's
# package also starts a server of its own.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tests/install_prometheus.sh

Prints the folder of prometheus and promtool: where PATH has both, else
.cache/prometheus/usr/bin, unpacked there from Debian's package.
EOF
}

if (($#)); then
  [[ $1 == --help || $1 == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi

if found=$(command -v prometheus) && command -v promtool >/dev/null; then
  dirname "$found"
  exit
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/.cache/prometheus
if [[ ! -x $folder/usr/bin/promtool || ! -x $folder/usr/bin/prometheus ]]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  cd "$folder"
  apt-get -q download prometheus >&2 || { apt-get -q update >&2 && apt-get -q download prometheus >&2; }
  dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin
  rm prometheus_*.deb
fi
echo "$folder/usr/bin"
