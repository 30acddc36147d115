#!/usr/bin/env bash
# From a fresh machine to shuffled minibatches in a Python program.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/quickstart.sh [--keep] [--drawings N] [--data FILE...]

Installs what is missing, builds Inkstream, makes synthetic drawings, ingests
them, serves them on a free local port, and streams one shuffled epoch into
Python. Ends with figures, a grpcurl line and its answer, the Python it ran,
and a picture of one batch. A second run installs and builds nothing.

  --drawings N     how many synthetic drawings (default 20000)
  --data FILE...   these Quick, Draw! files instead (NDJSON; .gz and .zst too)
  --keep           leave the server running; says how to reach and stop it
  --help

Needs Debian 12, root or sudo for what is missing, and Debian's packages, PyPI
and the Go module proxy within reach. On another system it lists what is
missing, and goes on where nothing is. What it writes stays in this checkout:
build/, .venv/ and .cache/.

Examples:
  deploy/quickstart.sh
  deploy/quickstart.sh --keep --data cat.ndjson dog.ndjson.gz
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
# shellcheck source=deploy/steps.sh
source "$here/steps.sh"

inkstream=$root/build/inkstream
work=$root/.cache/quickstart
store=$work/drawings.ink
server=0

parse_flags() {
  keep=0 drawings=20000 data=()
  while (($#)); do
    case $1 in
      --help | -h) usage && exit ;;
      --keep) keep=1 ;;
      --drawings)
        [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || usage_error '--drawings takes a number from 1'
        drawings=$2
        shift
        ;;
      --data)
        while (($# > 1)) && [[ $2 != --* ]]; do
          [[ -r $2 && -f $2 ]] || usage_error "--data: no such file: $2"
          data+=("$(realpath "$2")")
          shift
        done
        ((${#data[@]})) || usage_error '--data takes at least one file'
        ;;
      *) usage_error "no option '$1'" ;;
    esac
    shift
  done
}

usage_error() {
  printf 'quickstart.sh: %s; see --help\n' "$1" >&2
  exit 2
}

on_debian_12() {
  [[ -r /etc/os-release ]] || return 1
  # shellcheck source=/dev/null
  (. /etc/os-release && [[ ${ID:-} == debian && ${VERSION_ID:-} == 12 ]])
}

install_packages() {
  local groups=(build python)
  command -v grpcurl >/dev/null || [[ -x $root/.cache/bin/grpcurl ]] ||
    command -v go >/dev/null || groups+=(go)
  if on_debian_12; then
    # In the foreground: sudo may ask for a password, and apt-get ends in an
    # orderly way on a Ctrl-C of its own.
    "$here/install_debian.sh" "${groups[@]}"
    return
  fi
  echo 'This is not Debian 12, so nothing is installed here.'
  "$here/check_tools.sh" ||
    die "install what is missing and run this again. Debian 12 calls it
$("$here/install_debian.sh" --list build python go | fold -s -w 78)"
  echo 'Everything needed is there.'
}

# A server that an earlier run with --keep left behind.
stop_kept_server() {
  local pid
  [[ -r $work/server.pid ]] || return 0
  pid=$(<"$work/server.pid")
  rm -f "$work/server.pid"
  [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == "$inkstream"* ]] || return 0
  echo "Stopping the server that an earlier --keep left running (pid $pid)"
  stop_group "$pid"
}

ingest() {
  rm -rf "$store" "$store.partial"
  local inputs=("${data[@]}")
  if ((!${#inputs[@]})); then
    inputs=("$work/drawings.ndjson")
    run "$inkstream" generate --drawings "$drawings" --seed 1 -o "${inputs[0]}"
  fi
  run "$inkstream" ingest "${inputs[@]}" --store "$store" --name quickdraw \
    --errors "$work/ingest_errors.json"
}

start_server() {
  : >"$work/server.out"
  set -m
  nohup "$inkstream" serve --store "$store" --listen 127.0.0.1:0 --http 127.0.0.1:0 \
    >"$work/server.out" 2>"$work/server.log" </dev/null 9>&- &
  server=$!
  set +m
  local tenths=600
  until address=$(sed -n 's/^inkstream ready .*grpc=\([^ ]*\).*/\1/p' "$work/server.out") &&
    [[ -n $address ]]; do
    if ! kill -0 "$server" 2>/dev/null || ((--tenths == 0)); then
      cat "$work/server.log" >&2
      die 'the server did not start; its log is above'
    fi
    sleep 0.1
  done
  echo "$server" >"$work/server.pid"
}

stop_server() {
  ((server)) || return 0
  stop_group "$server"
  wait "$server" 2>/dev/null || true
  server=0
  rm -f "$work/server.pid"
}

say_how_to_reach() {
  local grpcurl=$1 page
  page=$(sed -n 's/^inkstream ready .*http=\([^ ]*\).*/\1/p' "$work/server.out")
  step 'The server goes on'
  cat <<END
Look at it: http://$page/
Reach it: ${grpcurl#"$PWD"/} -plaintext $address list
          inkstream.connect("$address") in ${root#"$PWD"/}/.venv/bin/python
Its log:  $work/server.log
Stop it:  kill $server
END
}

main() {
  parse_flags "$@"
  stop_on_signals
  trap stop_server EXIT
  mkdir -p "$work"
  exec 9>"$work/lock"
  flock -n 9 || die "another quickstart is running in this checkout ($root)"
  stop_kept_server

  step 'Packages'
  install_packages
  step 'Build'
  run "$here/build.sh" inkstream inkstream_python_proto
  step 'Python client and grpcurl'
  run "$here/make_venv.sh"
  run "$here/install_grpcurl.sh" >"$work/grpcurl.path"
  local grpcurl
  grpcurl=$(<"$work/grpcurl.path")
  step 'Drawings into a store'
  ingest
  step 'Serve and stream'
  start_server
  run "$root/.venv/bin/python" "$here/quickstart.py" --target "$address" \
    --server-pid "$server" --store "$store" --grpcurl "$grpcurl" \
    --sheet "$work/contact_sheet.png"
  if ((keep)); then
    say_how_to_reach "$grpcurl"
    server=0
  fi
}

main "$@"
