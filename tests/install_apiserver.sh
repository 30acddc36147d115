#!/usr/bin/env bash
# Provides a kube-apiserver and an etcd for tests.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: tests/install_apiserver.sh

Prints the folder of kube-apiserver and etcd, .cache/kubernetes: the one is
built there with the Go on PATH (1.24 or newer; ten minutes on two cores), the
other unpacked from Debian's package, which would start a server of its own.
EOF
}

if (($#)); then
  [[ $1 == --help || $1 == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi

version=1.34.2
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.cache/kubernetes
mkdir -p "$folder"
cd "$folder"

if [[ ! -x etcd ]]; then
  apt-get -q download etcd-server >&2 ||
    { apt-get -q update >&2 && apt-get -q download etcd-server >&2; }
  dpkg-deb --fsys-tarfile etcd-server_*.deb | tar -x --strip-components=3 ./usr/bin/etcd
  rm etcd-server_*.deb
fi

if [[ ! -x kube-apiserver ]]; then
  # GOTOOLCHAIN: the Go that is here, never another one fetched for the purpose.
  export GOTOOLCHAIN=local GOFLAGS='' CGO_ENABLED=0
  mkdir -p module
  cd module
  module=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  {
    printf 'module inkstream/apiserver\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v%s\n\n' "$version"
    # Its parts are modules of their own, which it names by folders.
    sed -n "s|^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging.*|replace \1 => \1 v0.${version#1.}|p" "$module"
  } >go.mod
  printf '//go:build tools\n\npackage tools\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n' >tools.go
  go mod tidy >&2
  name=k8s.io/component-base/version
  go build -o ../kube-apiserver \
    -ldflags "-s -w -X $name.gitVersion=v$version -X $name.gitMajor=1 -X $name.gitMinor=34" \
    k8s.io/kubernetes/cmd/kube-apiserver >&2
fi
echo "$folder"
