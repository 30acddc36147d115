#!/usr/bin/env bash
# Provides tools of Kubernetes for tests, which Debian has no packages of.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tests/install_go_tool.sh helm|kubeconform

Prints the path of the tool: the one on PATH, the one built here earlier, or one
that it builds now into .cache/bin with the Go on PATH (1.24 or newer; a few
minutes where Go's own cache has nothing of it). Exits 3 where there is none.
EOF
}

case ${1-} in
  helm) package=helm.sh/helm/v3/cmd/helm@v3.19.0 ;;
  kubeconform) package=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0 ;;
  --help | -h) usage && exit ;;
  *) usage >&2 && exit 2 ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$root/.cache/bin/$1
if command -v "$1"; then exit; fi
if [[ -x $built ]]; then
  echo "$built"
  exit
fi
number=$(go env GOVERSION 2>/dev/null) || number=go0
number=${number#go}
IFS=. read -r major minor _ <<<"$number"
minor=${minor%%[!0-9]*}
if ((major <= 1 && ${minor:-0} < 24)); then
  echo "install_go_tool.sh: neither $1 nor Go 1.24 or newer is on PATH" >&2
  exit 3
fi
mkdir -p "${built%/*}"
# GOTOOLCHAIN: the Go that is here, never another one fetched for the purpose.
GOTOOLCHAIN=local GOFLAGS='' CGO_ENABLED=0 GOBIN=${built%/*} go install "$package" >&2
echo "$built"
