#!/usr/bin/env bash
# Every benchmark of the Release build, shortly: figures to look at, no verdict.
set -euo pipefail

if (($#)); then
  echo 'Usage: tests/bench/run.sh
Runs every benchmark in build/tests. BENCH_SECONDS: the least time of each
workload (default 0.5).'
  [[ $1 == --help || $1 == -h ]] && exit
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=("$root"/build/tests/*_bench)
for program in "${programs[@]}"; do
  echo "${program##*/}"
  "$program" --benchmark_min_time="${BENCH_SECONDS:-0.5}"
done
echo "bench: ${#programs[@]} programs ran"
