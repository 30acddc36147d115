#!/usr/bin/env bash
# Gives every fuzz target FUZZ_SECONDS (default 60), under the sanitizers.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${FUZZ_SECONDS:-60}
[[ -n ${FUZZ_BUILD:-} ]] || "$root/deploy/build.sh" --sanitize
build=${FUZZ_BUILD:-$root/build-sanitize}

targets=("$build"/tests/fuzz_*)
failed=()
for target in "${targets[@]}"; do
  name=$(basename "$target")
  echo "$name: $seconds s"
  "$target" -max_total_time="$seconds" "$root/tests/golden" || failed+=("$name")
done
if ((${#failed[@]})); then
  echo "fuzz: findings in ${failed[*]}"
  exit 1
fi
echo "fuzz: ${#targets[@]} targets, nothing found"
