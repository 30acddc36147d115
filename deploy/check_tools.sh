#!/usr/bin/env bash
# For systems other than Debian 12: says which tools and libraries are missing.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/check_tools.sh

Looks for everything that building and running Inkstream needs, whatever the
system's packages are called. Lists what is missing and exits 1, or exits 0.
END
}

if (($#)); then
  [[ $1 == --help || $1 == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi

missing=()
need_command() {
  command -v "$1" >/dev/null || missing+=("command $1: $2")
}
need_library() {
  pkg-config --exists "$1" 2>/dev/null || missing+=("library $1 (by pkg-config): $2")
}

need_command c++ 'a C++20 compiler, GCC 12 or Clang 14 or newer'
need_command cmake 'CMake 3.25 or newer'
need_command ninja 'Ninja'
need_command pkg-config 'pkg-config'
need_command protoc 'the Protobuf compiler, 3.21 or newer'
need_command grpc_cpp_plugin "gRPC's plugin for it"
need_command python3 'Python 3.10 or newer'
if command -v python3 >/dev/null && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=("Python's modules venv and ensurepip")
fi
if ! command -v grpcurl >/dev/null && ! command -v go >/dev/null; then
  missing+=('command grpcurl, or command go (1.19 or newer) to build it')
fi
need_library grpc++ 'gRPC 1.51 or newer, with headers'
need_library protobuf 'Protobuf'
need_library absl_status 'Abseil'
need_library libzstd 'zstd'
need_library lmdb 'LMDB'
need_library simdjson 'simdjson'
need_library libhwy 'Highway'
need_library cairo 'Cairo, which draws images of quality exact'
need_library libxxhash 'xxHash'
need_library openssl 'OpenSSL'
need_library CLI11 'CLI11'
need_library nlohmann_json 'nlohmann-json'
need_library spdlog 'spdlog'
need_library tomlplusplus 'toml++'
need_library zlib 'zlib'

if ((${#missing[@]})); then
  echo 'Missing on this system:' >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
fi
