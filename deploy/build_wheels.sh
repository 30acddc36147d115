#!/usr/bin/env bash
# Makes the wheels that `pip install inkstream inkstream-server` takes.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/build_wheels.sh [--out DIR]

Puts three wheels into dist/, of what build/ has (deploy/build.sh first):

  inkstream-…-py3-none-any.whl             the client, in Python alone
  inkstream-…-manylinux_….whl              the client with libinkstream
  inkstream_server-…-manylinux_….whl       the program `inkstream`

Their tags say the oldest glibc that they run on, by the symbols that they want.

  --out DIR   instead of dist/

PYTHON is the interpreter whose pip makes them (default: python3); PIP_FLAGS are
given to `pip wheel`, such as --no-build-isolation where nothing can be loaded.
END
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$root/dist
while (($#)); do
  case $1 in
    --help | -h) usage && exit ;;
    --out)
      (($# > 1)) || { echo "build_wheels.sh: --out takes a folder; see --help" >&2 && exit 2; }
      out=$2
      shift
      ;;
    *) echo "build_wheels.sh: no option '$1'; see --help" >&2 && exit 2 ;;
  esac
  shift
done

build=${INKSTREAM_BUILD:-$root/build}
for file in inkstream libinkstream.so; do
  [[ -f $build/$file ]] || { echo "build_wheels.sh: $build/$file is missing: run deploy/build.sh" >&2 && exit 1; }
done
if [[ ! -f $root/client/python/src/inkstream/v1/service_pb2.py ]]; then
  echo 'build_wheels.sh: the contract is not compiled: run deploy/build.sh' >&2 && exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"
out=$(cd "$out" && pwd)

# pip leaves its own files beside what it builds, so it gets a copy; what is
# carried is stripped there.
mkdir "$scratch/built"
cp "$build/inkstream" "$build/libinkstream.so" "$scratch/built"
strip "$scratch"/built/*

# wheel FOLDER PROGRAM LIBRARY
wheel() {
  local copy
  copy=$(mktemp -d "$scratch/XXXXXX")
  tar -C "$1" --exclude build --exclude '*.egg-info' --exclude __pycache__ \
    --exclude _bin --exclude _lib -cf - . | tar -C "$copy" -xf -
  cp "$root/LICENSE" "$root/client/python/native_wheel.py" "$copy"
  sed -n 's/^__version__ = "\(.*\)"/\1/p' "$root/client/python/src/inkstream/_version.py" >"$copy/VERSION"
  # shellcheck disable=SC2086 # several flags
  INKSTREAM_BINARY=$2 INKSTREAM_LIBRARY=$3 "${PYTHON:-python3}" -m pip wheel \
    --quiet --disable-pip-version-check --no-deps ${PIP_FLAGS:-} --wheel-dir "$out" "$copy"
}

wheel "$root/client/python" /none /none
wheel "$root/client/python" /none "$scratch/built/libinkstream.so"
wheel "$root/deploy/server_wheel" "$scratch/built/inkstream" /none
ls -sh "$out"/inkstream*.whl
