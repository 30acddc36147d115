#!/usr/bin/env bash
# Provides helm for tests, which Debian has no package of.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tests/install_helm.sh

Prints the path of a helm: the one on PATH, the one built here earlier, or one
that it builds now into .cache/bin with the Go on PATH (1.24 or newer; a few
minutes where Go's own cache has nothing of it). Exits 3 where there is none.
EOF
}

if (($#)); then
  [[ $1 == --help || $1 == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$root/.cache/bin/helm
if command -v helm; then exit; fi
if [[ -x $built ]]; then
  echo "$built"
  exit
fi
number=$(go env GOVERSION 2>/dev/null) || number=go0
number=${number#go}
IFS=. read -r major minor _ <<<"$number"
minor=${minor%%[!0-9]*}
if ((major <= 1 && ${minor:-0} < 24)); then
  echo 'install_helm.sh: neither helm nor Go 1.24 or newer is on PATH' >&2
  exit 3
fi
mkdir -p "${built%/*}"
# GOTOOLCHAIN: the Go that is here, never another one fetched for the purpose.
GOTOOLCHAIN=local GOFLAGS='' CGO_ENABLED=0 GOBIN=${built%/*} \
  go install helm.sh/helm/v3/cmd/helm@v3.19.0 >&2
echo "$built"
