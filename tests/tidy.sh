#!/usr/bin/env bash
# clang-tidy on every source of the project, with .clang-tidy's checks.
set -uo pipefail

if (($#)); then
  echo 'Usage: tests/tidy.sh
Runs clang-tidy on every source. Needs a finished build in build/.'
  [[ $1 == --help || $1 == -h ]] && exit
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
mapfile -t sources < <(git ls-files 'server/*.cc' 'client/*.cc')
if printf '%s\0' "${sources[@]}" |
  xargs -0 -n 4 -P "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" clang-tidy --quiet -p build; then
  echo "tidy: clean (${#sources[@]} sources)"
else
  echo 'tidy: problems found'
  exit 1
fi
