#!/usr/bin/env bash
# Builds the checkout that it stands in.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/build.sh [--tests] [--sanitize] [TARGET...]

Release build of Inkstream in build/, through ccache where it is installed.

  --tests      with the tests, the fuzz targets and the benchmarks
  --sanitize   in build-sanitize/ with ASan and UBSan instead; implies --tests
  TARGET       only these; everything otherwise

CMAKE_BUILD_PARALLEL_LEVEL sets the number of jobs (default: one a core).
With WARNINGS_ARE_ERRORS=1, as in .ci/run, a warning fails the build.
END
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=release tests=0 targets=()
while (($#)); do
  case $1 in
    --help | -h) usage && exit ;;
    --tests) tests=1 ;;
    --sanitize) preset=sanitize tests=1 ;;
    -*) echo "build.sh: no option '$1'; see --help" >&2 && exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
folder=$root/build
[[ $preset == release ]] || folder=$root/build-$preset

# Objects cached for one checkout serve another one elsewhere.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# A cache written for another path, by a copied or moved checkout, is no use.
cache=$folder/CMakeCache.txt
if [[ -e $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
  rm -rf "$folder"
fi
options=(-DINKSTREAM_WERROR="${WARNINGS_ARE_ERRORS:-OFF}")
if ((tests)); then
  options+=(-DINKSTREAM_TESTS=ON)
elif ! grep -qxF INKSTREAM_TESTS:BOOL=ON "$cache" 2>/dev/null; then
  options+=(-DINKSTREAM_TESTS=OFF)
fi
mkdir -p "$folder"
cd "$root"
if ! cmake --preset "$preset" "${options[@]}" >"$folder/configure.log" 2>&1; then
  cat "$folder/configure.log" >&2
  exit 1
fi
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
cmake --build "$folder" -j "$jobs" ${targets[@]+--target "${targets[@]}"}
