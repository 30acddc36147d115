#!/usr/bin/env bash
# The tests of rooms that have threads, with ThreadSanitizer.
set -uo pipefail

if (($#)); then
  echo 'Usage: tests/thread.sh
Builds into build-thread/ and runs: order and batch without any suppression, the
server and the C++ client with those of tests/thread.supp (Debian builds gRPC and
Abseil without ThreadSanitizer). Run by tests/run.sh --thread.'
  [[ $1 == --help || $1 == -h ]] && exit
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/build-thread
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
strict=(order_epoch_order_test order_step_schedule_test batch_test)
suppressed=(transport_test client_batch_assembler_test client_client_test client_resume_point_test
  client_failover_test client_grpc_stream_test client_retry_policy_test)

cd "$root" || exit 1
mkdir -p "$folder"
cmake --preset thread >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log" && exit 1; }
cmake --build "$folder" -j "$jobs" --target "${strict[@]}" "${suppressed[@]}" || exit 1

failed=()
# check NAME OPTIONS: one test program under ThreadSanitizer.
check() {
  echo "== $1"
  TSAN_OPTIONS="halt_on_error=0 exitcode=66 second_deadlock_stack=1 $2" \
    "$folder/tests/$1" --gtest_brief=1 || failed+=("$1")
}
for name in "${strict[@]}"; do check "$name" ''; done
for name in "${suppressed[@]}"; do check "$name" "suppressions=$root/tests/thread.supp"; done

if ((${#failed[@]})); then
  echo "thread: problems in ${failed[*]}"
  exit 1
fi
echo "thread: $((${#strict[@]} + ${#suppressed[@]})) programs are clean"
