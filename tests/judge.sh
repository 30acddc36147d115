# shellcheck shell=bash
# Sourced by run.sh after deploy/steps.sh: runs a stage and judges it by its log.

: "${root:?}" "${logs:?}" "${quarantine:?}"
closing=()
failed=()
unsteady=()

run_logged() {
  local log=$1
  shift
  # In one group with tee, so that an interrupt ends both.
  run bash -c 'set -o pipefail; log=$1; shift; "$@" 2>&1 | tee "$log"' _ "$log" "$@"
}

# logged NAME PATTERN COMMAND...: runs it, and keeps the last line of its
# output that matches for the end. Returns its status.
logged() {
  local name=$1 pattern=$2 status=0
  shift 2
  run_logged "$logs/$name.log" "$@" || status=$?
  local line
  line=$(grep -E "$pattern" "$logs/$name.log" | tail -n 1) || line='no closing line'
  closing+=("$(printf '%-16s' "$name")$line")
  return "$status"
}

# plain NAME PATTERN COMMAND...: where there is nothing to run again.
plain() { logged "$@" || failed+=("$1"); }

# names_of_failures LOG: the tests that ctest's or pytest's closing lines name.
names_of_failures() {
  sed -nE -e 's/^[[:space:]]+[0-9]+ - (.*) \((Failed|Timeout|SEGFAULT|Subprocess|Bad|Child|Exception).*/\1/p' \
    -e '/^(FAILED|ERROR) /{s/^[A-Z]+ //;s/ - .*//;p}' "$1" | sort -u
}

# not_quarantined LOG: those of them that the quarantine does not name.
not_quarantined() {
  names_of_failures "$1" |
    grep -vxFf <(sed -nE 's/^([^#[:space:]].*[^[:space:]])[[:space:]]+# .+/\1/p' "$quarantine") || true
}

# judged NAME PATTERN COMMAND... -- AGAIN...: like logged; where it fails, AGAIN
# runs the failed tests once more, by themselves. One that passes then depends on
# what else the machine does, which fails the run too unless the quarantine names
# it with its reason.
judged() {
  local name=$1 pattern=$2 command=()
  shift 2
  while [[ $1 != -- ]]; do command+=("$1") && shift; done
  shift
  logged "$name" "$pattern" "${command[@]}" && return
  local log=$logs/$name.log line
  while read -r line; do closing+=("                $line"); done \
    < <(names_of_failures "$log" | head -n 20)
  step "$name: the failed tests again"
  if ! logged "$name-again" "$pattern" "$@" || [[ -z $(names_of_failures "$log") ]]; then
    failed+=("$name")
    return
  fi
  closing+=("                unsteady: failed among others, passed alone; see ${log#"$root"/}")
  unsteady+=("$name")
  local outside
  outside=$(not_quarantined "$log")
  [[ -z $outside ]] && return
  while read -r line; do closing+=("                not in ${quarantine#"$root"/}: $line"); done \
    <<<"$outside"
  failed+=("$name")
}

# said_of_failures LOG: of ctest's, what the failed tests printed; of pytest's,
# its lines of errors; at most 60 lines.
said_of_failures() {
  awk '/\*\*\*(Failed|Timeout|Exception)/ { ours = 1 }
       /^ +Start +[0-9]+:/ { ours = 0 }
       (ours || /^E  / || /^(FAILED|ERROR) /) && lines++ < 60' "$1"
}

# verdict: the closing lines; ends with 1 where a stage has failed.
verdict() {
  local stage
  for stage in $(printf '%s\n' "${unsteady[@]}" "${failed[@]}" | sort -u); do
    step "What $stage said of the failed tests"
    said_of_failures "$logs/$stage.log"
  done
  step 'Closing lines'
  printf '%s\n' "${closing[@]}"
  ((${#unsteady[@]} == 0)) || echo "${0##*/}: unsteady: ${unsteady[*]}"
  ((${#failed[@]} == 0)) || die "failed: ${failed[*]}"
}
