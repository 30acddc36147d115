# shellcheck shell=bash
# Sourced by the scripts that a person runs: messages, and steps that a Ctrl-C
# ends at once with everything they started.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' red='' plain=''
fi

step() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

die() {
  printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2
  exit 1
}

# The step that is running; 0 when none is. It leads a process group of its
# own, so that a signal reaches all that it started.
running=0

# run COMMAND...: runs it to its end and returns its status. Waiting with
# `wait` lets a trap act at once, where a plain call would hold it back until
# the command ends.
run() {
  set -m
  "$@" </dev/null &
  running=$!
  set +m
  local status=0
  wait "$running" || status=$?
  running=0
  return "$status"
}

# stop_group PID [SECONDS]: ends a process group, politely first.
stop_group() {
  local group=$1 tenths=$((${2:-10} * 10))
  kill -INT -- "-$group" 2>/dev/null || return 0
  while ((tenths-- > 0)); do
    kill -0 -- "-$group" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$group" 2>/dev/null || true
}

# interrupted STATUS: what a trap on INT, TERM or HUP calls.
interrupted() {
  trap '' INT TERM HUP
  printf '\n%s: interrupted\n' "${0##*/}" >&2
  if ((running)); then stop_group "$running"; fi
  exit "$1"
}

stop_on_signals() {
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM
  trap 'interrupted 129' HUP
}
