#!/usr/bin/env bash
# Sets everything up and runs the tests.
set -euo pipefail

usage() {
  cat <<'END'
Usage: tests/run.sh [STAGE...] [-k WORD]

Installs what is missing, builds, and runs the stages named, or the first five
where none is. Ends with the closing line of each runner; exits 0 if all passed.
A test that fails runs once more by itself; if it passes then it is unsteady, which
fails the run too, unless tests/quarantine.txt names it with its reason.

  --lint         format and types: clang-format, ruff, mypy, shellcheck
  --unit         GoogleTest, by ctest
  --python       pytest: the Python client and inkstream.torch
  --conformance  pytest: the C++ and the Python client, held to the same tests
  --system       pytest: grpcurl, the command line, the quickstart
  --sanitize     the unit tests again with ASan and UBSan (build-sanitize/)
  --thread       the tests of rooms that have threads, with TSan (build-thread/)
  --tidy         clang-tidy on every source (slow)
  --fuzz         every fuzz target for a minute (FUZZ_SECONDS)
  --neon         the rasteriser's NEON code, under an emulator
  --frameworks   the Python client's adapters beside fastai, Lightning, JAX, Ray and
                 others, in environments of their own (frameworks/run.sh)
  --bench        the benchmarks, for a look, not for a verdict
  --containers   builds the image and runs it, alone and with Compose
  --all          every stage

  -k WORD        only tests with WORD in their name (ctest -R, pytest -k)

CMAKE_BUILD_PARALLEL_LEVEL sets the number of jobs (default: one a core).
Examples:
  tests/run.sh
  tests/run.sh --unit -k Permutation
  tests/run.sh --lint --unit --sanitize
END
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=deploy/steps.sh
source "$root/deploy/steps.sh"
logs=$root/.cache/test-logs
quarantine=$root/tests/quarantine.txt
# shellcheck source=tests/judge.sh
source "$root/tests/judge.sh"
venv=$root/.venv/bin
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
word=''
stages=()

parse_flags() {
  local wanted=()
  while (($#)); do
    case $1 in
      --help | -h) usage && exit ;;
      --lint | --unit | --python | --conformance | --system | --sanitize | --thread | --tidy | --fuzz | --neon | --frameworks | --bench | --containers)
        wanted+=("${1#--}")
        ;;
      --all) wanted=(lint unit python conformance system sanitize thread tidy fuzz neon frameworks bench containers) ;;
      -k)
        (($# > 1)) || { echo "run.sh: -k takes a word; see --help" >&2 && exit 2; }
        word=$2
        shift
        ;;
      *) echo "run.sh: no stage or option '$1'; see --help" >&2 && exit 2 ;;
    esac
    shift
  done
  ((${#wanted[@]})) || wanted=(lint unit python conformance system)
  stages=("${wanted[@]}")
}

wants() { [[ " ${stages[*]} " == *" $1 "* ]]; }

set_up() {
  step 'Set-up'
  local groups=(build python tests)
  if wants lint || wants tidy; then groups+=(lint); fi
  if wants containers; then groups+=(containers); fi
  if wants neon; then groups+=(neon); fi
  if wants bench; then groups+=(bench); fi
  command -v grpcurl >/dev/null || [[ -x $root/.cache/bin/grpcurl ]] ||
    command -v go >/dev/null || groups+=(go)
  if command -v dpkg-query >/dev/null; then
    "$root/deploy/install_debian.sh" "${groups[@]}"
  else
    "$root/deploy/check_tools.sh"
  fi
  run "$root/deploy/build.sh" --tests
  run "$root/deploy/make_venv.sh" --tests
  run "$root/deploy/install_grpcurl.sh" >"$logs/grpcurl.path"
  GRPCURL=$(<"$logs/grpcurl.path")
  export GRPCURL
  if wants system; then
    run "$root/tests/install_prometheus.sh" >/dev/null
    # 3: there is none for this machine; its tests say that they are skipped.
    for tool in helm kubeconform; do
      run "$root/tests/install_go_tool.sh" "$tool" >/dev/null || (($? == 3))
    done
    run "$root/tests/install_envoy.sh" >/dev/null || (($? == 3))
  fi
}

ctest_in() {
  local filter=()
  [[ -z $word ]] || filter=(-R "$word")
  local ctest=(ctest --test-dir "$2" --output-on-failure --no-tests=error)
  judged "$1" 'tests passed' "${ctest[@]}" -j "$jobs" "${filter[@]}" -- \
    "${ctest[@]}" --rerun-failed
}

pytest_on() {
  local name=$1 filter=()
  shift
  [[ -z $word ]] || filter=(-k "$word")
  local pytest=("$venv/python" -m pytest -q -ra -o "cache_dir=$logs/$name.cache")
  judged "$name" '(passed|failed|error|no tests ran).* in [0-9.]+s' \
    "${pytest[@]}" "${filter[@]}" "$@" -- \
    "${pytest[@]}" --last-failed --last-failed-no-failures none "$@"
}

stage_lint() { plain lint '^lint: ' "$root/tests/lint.sh"; }
stage_unit() { ctest_in unit "$root/build"; }
stage_python() { pytest_on python tests/python; }
stage_conformance() { pytest_on conformance tests/conformance/clients; }
stage_system() { pytest_on system tests/system --ignore tests/system/containers; }
stage_sanitize() {
  run "$root/deploy/build.sh" --sanitize
  # A test wants to see SIGBUS end a process.
  ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:handle_sigbus=0 UBSAN_OPTIONS=print_stacktrace=1 \
    ctest_in sanitize "$root/build-sanitize"
}
stage_thread() { plain thread '^thread: ' "$root/tests/thread.sh"; }
stage_tidy() { plain tidy '^tidy: ' "$root/tests/tidy.sh"; }
stage_fuzz() { plain fuzz '^fuzz: ' "$root/tests/fuzz/run.sh"; }
stage_neon() { plain neon '^(golden|neon): ' "$root/tests/raster/neon.sh"; }
stage_frameworks() { plain frameworks '^frameworks: ' "$root/tests/frameworks/run.sh"; }
stage_bench() { plain bench '^bench: ' "$root/tests/bench/run.sh"; }
stage_containers() { pytest_on containers tests/system/containers; }

main() {
  parse_flags "$@"
  stop_on_signals
  cd "$root"
  mkdir -p "$logs"
  set_up
  local stage
  for stage in "${stages[@]}"; do
    step "$stage"
    "stage_$stage"
  done
  verdict
}

main "$@"
