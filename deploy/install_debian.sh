#!/usr/bin/env bash
# Installs Debian 12 packages, group by group, and only those that are missing.
# This list is the only one: the quickstart, the tests and the container image
# all call it.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/install_debian.sh [--dry-run | --list] GROUP...

Installs the missing Debian 12 packages of the groups named. Needs root or
sudo only where something is missing.

  build       compiler, CMake and the libraries that Inkstream is built with
  python      for the Python client's virtual environment
  go          Go, for building grpcurl
  runtime     what the finished binary needs to run
  tests       GoogleTest, google-benchmark, clang (fuzz targets), Chromium
  lint        clang-format, clang-tidy, shellcheck
  neon        a cross-compiler and an emulator, for testing NEON code
  bench       OpenCV, which the rasteriser is compared with
  containers  buildah and podman, for testing the image without a Docker engine

  --dry-run   print the missing packages, one a line, and install nothing
  --list      print all packages of the groups on one line, on any system

Example: deploy/install_debian.sh build python
END
}

packages_of() {
  case $1 in
    build)
      echo build-essential ca-certificates ccache cmake g++ ninja-build pkg-config \
        libabsl-dev libcairo2-dev libcli11-dev libgrpc++-dev libhwy-dev liblmdb-dev \
        libmicrohttpd-dev libprotobuf-dev libsimdjson-dev libspdlog-dev libssl-dev libtomlplusplus-dev \
        libxxhash-dev libzstd-dev nlohmann-json3-dev prometheus-cpp-dev protobuf-compiler protobuf-compiler-grpc zlib1g-dev
      ;;
    python) echo ca-certificates python3 python3-venv ;;
    go) echo ca-certificates golang-go ;;
    runtime)
      echo libabsl20220623 libcairo2 libfmt9 libgrpc++1.51 libhwy1 liblmdb0 libmicrohttpd12 \
        libprometheus-cpp-core1.0 libprotobuf32 \
        libsimdjson14 libspdlog1.10 libssl3 libxxhash0 libzstd1 zlib1g
      ;;
    tests)
      echo chromium clang curl faketime git libbenchmark-dev libclang-rt-14-dev libgmock-dev \
        libgtest-dev procps strace systemd
      ;;
    lint) echo clang-format clang-tidy git shellcheck ;;
    neon) echo g++-aarch64-linux-gnu qemu-user-static ;;
    bench) echo libopencv-imgproc-dev ;;
    containers)
      echo aardvark-dns buildah catatonit debootstrap iptables netavark podman runc uidmap
      ;;
    *)
      echo "install_debian.sh: no group '$1'; groups are build python go runtime tests lint neon bench containers" >&2
      return 2
      ;;
  esac
}

main() {
  local dry_run=0 list=0 groups=()
  while (($#)); do
    case $1 in
      --help | -h) usage && return ;;
      --dry-run) dry_run=1 ;;
      --list) list=1 ;;
      -*) echo "install_debian.sh: no option '$1'; see --help" >&2 && return 2 ;;
      *) groups+=("$1") ;;
    esac
    shift
  done
  ((${#groups[@]})) || { usage >&2 && return 2; }

  local group listed names=() missing=()
  for group in "${groups[@]}"; do
    listed=$(packages_of "$group") || return 2
    read -ra listed <<<"$listed"
    names+=("${listed[@]}")
  done
  local name
  mapfile -t names <<<"$(printf '%s\n' "${names[@]}" | sort -u)"
  if ((list)); then
    echo "${names[*]}"
    return
  fi
  for name in "${names[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
      missing+=("$name")
  done
  if ((dry_run)); then
    if ((${#missing[@]})); then printf '%s\n' "${missing[@]}"; fi
    return
  fi
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      printf 'install_debian.sh: not root, and there is no sudo. Run this as root, then try again:\n  apt-get install --no-install-recommends %s\n' \
        "${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  printf 'Installing %d Debian packages: %s\n' "${#missing[@]}" "${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  # An installation that was cut short earlier blocks every later one.
  if [[ -n $(dpkg --audit) ]]; then
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
  fi
  "${apt[@]}" update >/dev/null
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
}

main "$@"
