#!/usr/bin/env bash
# Quick, Draw! files from Google's bucket: several at a time, resumed, checked.
#
# One round asks for the heads of what is missing, transfers it side by side,
# and checks what came; what is not right yet has another round. A file grows
# in NAME.part, which `inkstream ingest` refuses, and gets its name when its
# size and MD5 are those that the server tells.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/fetch_quickdraw.sh [OPTION]... -o DIR WORD...|--all

Fetches files of drawings into DIR. The same command goes on where it was
interrupted, and fetches nothing that is there.

  --all            all 345 words; they are in deploy/quickdraw_words.txt
  --kind KIND      simplified (.ndjson; the default), raw (.ndjson) or bin
  --jobs N         transfers at a time (default 8)
  --rounds N       tries of each file (default 6)
  --stall SECONDS  a transfer that gives nothing for so long is cut (default 30)
  --base-url URL   another place with the same folders

Exit status: 0 done, 1 some files could not be had, 2 the command line is wrong.
Example: deploy/fetch_quickdraw.sh -o drawings cat dog 'ice cream'
A store is a directory: rsync it or curl its files, then run inkstream verify.
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=https://storage.googleapis.com/quickdraw_dataset/full
kind=simplified jobs=8 rounds=6 stall=30 all=0 out='' words=()

misused() {
  printf 'fetch_quickdraw.sh: %s; see --help\n' "$1" >&2
  exit 2
}
say() { printf '%s\n' "$*" >&2; }

# The word as its file has it; case and _ do not matter.
official() {
  local word=${1//_/ } line
  [[ $word != *[[:cntrl:]]* ]] || misused "the word $(printf %q "$1") has control characters"
  while IFS= read -r line; do
    [[ ${line,,} == "${word,,}" ]] && printf '%s\n' "$line" && return
  done <"$here/quickdraw_words.txt"
  local near
  near=$(grep -i -m 5 -e "^${word:0:2}" "$here/quickdraw_words.txt" | paste -sd, || true)
  misused "$(printf %q "$1") is no word of Quick, Draw!${near:+; is it one of $near}"
}

number() {
  [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || misused "$1 is '$2', expected a number from 1"
}

while (($#)); do
  case $1 in
    --help | -h) usage && exit ;;
    --all) all=1 ;;
    -o | --kind | --jobs | --rounds | --stall | --base-url)
      (($# > 1)) || misused "$1 has no value"
      case $1 in
        -o) out=$2 ;;
        --kind) kind=$2 ;;
        --base-url) base=${2%/} ;;
        *) number "$1" "$2" && declare "${1#--}=$2" ;;
      esac
      shift
      ;;
    -*) misused "no option '$1'" ;;
    *) words+=("$1") ;;
  esac
  shift
done
case $kind in
  simplified | raw) folder=$kind extension=.ndjson ;;
  bin) folder=binary extension=.bin ;;
  *) misused "--kind is '$kind', expected simplified, raw or bin" ;;
esac
[[ -n $out ]] || misused '-o is missing: where to'
((all == (${#words[@]} == 0))) || misused 'say what to fetch: words, or --all, one of them'
command -v curl >/dev/null || { say 'fetch_quickdraw.sh: curl is missing' && exit 1; }

declare -A wanted=()
if ((all)); then
  while IFS= read -r word; do wanted[$word$extension]=$word; done <"$here/quickdraw_words.txt"
else
  for word in "${words[@]}"; do
    word=$(official "$word") || exit 2
    wanted[$word$extension]=$word
  done
fi

mkdir -p -- "$out"
cd -- "$out"
scratch=$(mktemp -d)

# The lines of one transfer in curl's configuration: file, where to.
one() {
  printf '%s\n' next location 'proto = "=http,https"' 'connect-timeout = 20' \
    'speed-limit = 1' "speed-time = $stall" "url = \"$(url_of "$1")\"" "output = \"$2\""
  printf 'write-out = "%s\t%%{exitcode}\t%%{http_code}\t%%{errormsg}\\n"\n' "$1"
}

# Runs curl over the transfers of $scratch/config, side by side, and leaves a
# line a transfer in $scratch/results: file, exit code, status, reason.
transfer() {
  if [[ $1 == head || ! -t 2 ]]; then echo no-progress-meter >>"$scratch/config"; fi
  # Beyond the free room a file is an error, also one whose length nobody says.
  local room=$(($(df --output=avail -k . | tail -1) - 65536))
  (
    trap '' XFSZ
    ulimit -f $((room > 0 ? room : 1))
    exec curl --parallel --parallel-max "$jobs" --config "$scratch/config" >"$scratch/results"
  ) || true # its results say which and why
}

url_of() { printf '%s/%s/%s%s' "$base" "$folder" "${wanted[$1]// /%20}" "$extension"; }
head_of() { sed -n "s/^$2: *//Ip" "$scratch/heads/$1" 2>/dev/null | tr -d '\r' | tail -n "${3:-1}"; }
size_of() { stat -c %s -- "$1" 2>/dev/null || echo 0; }
md5_told() {
  local base64
  base64=$(head_of "$1" x-goog-hash 9 | sed -n 's/.*md5=//p' | tail -1)
  [[ -z $base64 ]] || base64 -d <<<"$base64" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}
md5_is() {
  local sum
  sum=$(md5sum <"$1")
  printf '%s' "${sum%% *}"
}

# Whether $2 is the file $1, as far as its head tells. Else the reason in $reason.
is_right() {
  local told md5
  told=$(head_of "$1" content-length) md5=$(md5_told "$1")
  reason=''
  if [[ ! -f $2 ]]; then
    reason='nothing came'
  elif [[ -n $told && $(size_of "$2") != "$told" ]]; then
    reason="$(size_of "$2") of $told bytes came"
  elif [[ -n $md5 && $(md5_is "$2") != "$md5" ]]; then
    reason='its MD5 is not the one that the server tells'
  elif [[ $(head -c 1 -- "$2") == '<' ]]; then
    reason='what came is an HTML page, not drawings'
  fi
  [[ -z $reason ]]
}

# The heads of all of "$@"; 1: one is not to be had.
ask() {
  local name code status message bad=0
  rm -rf "$scratch/heads" && mkdir "$scratch/heads"
  for name in "$@"; do
    one "$name" "$scratch/heads/$name"
    echo head
  done >"$scratch/config"
  transfer head
  while IFS=$'\t' read -r name code status message; do
    if ((code != 0)); then
      say "$(url_of "$name"): $message"
      bad=1
    elif [[ $status == 404 || $status == 403 || $status == 410 ]]; then
      say "$name: the server answers $status"
      bad=1
    elif [[ $status != 200 ]]; then
      : >"$scratch/heads/$name" # it does not tell; the transfer will
    fi
  done <"$scratch/results"
  return "$bad"
}

fetch_all() {
  local name round told tag needed free reason=''
  mapfile -t missing < <(printf '%s\n' "${!wanted[@]}" | sort)
  fetched=0 kept=0
  declare -A reasons=()
  for ((round = 1; round <= rounds && ${#missing[@]} > 0; ++round)); do
    ((round == 1)) || sleep $((round < 6 ? 1 << (round - 2) : 16))
    if ! ask "${missing[@]}" && ((round == 1)); then
      say 'Nothing was fetched'
      return 1
    fi
    if ((round == 1)); then
      absent=() needed=0
      for name in "${missing[@]}"; do
        if is_right "$name" "$name"; then
          kept=$((kept + 1))
          continue
        fi
        absent+=("$name")
        # Without a sum to check it by, the rest may be another file's.
        [[ -n $(md5_told "$name") ]] || rm -f -- "$name.part"
        told=$(head_of "$name" content-length)
        needed=$((needed + ${told:-0} - $(size_of "$name.part")))
      done
      missing=(${absent[@]+"${absent[@]}"})
      free=$(($(df --output=avail -B1 . | tail -1)))
      if ((needed > free)); then
        say "$((needed >> 20)) MiB are to come, $((free >> 20)) MiB are free in $out"
        return 1
      fi
    fi
    declare -A before=()
    for name in ${missing[@]+"${missing[@]}"}; do
      is_right "$name" "$name.part" && continue
      before[$name]=$(size_of "$name.part")
      one "$name" "$name.part"
      echo fail
      tag=$(head_of "$name" etag)
      if ((before[$name] > 0)); then
        printf 'continue-at = -\n'
        [[ -z $tag ]] || printf 'header = "If-Range: %s"\n' "${tag//\"/\\\"}"
      fi
    done >"$scratch/config"
    if [[ -s $scratch/config ]]; then transfer body; fi
    declare -A failed=()
    while IFS=$'\t' read -r name code _ message; do
      ((code == 0)) || failed[$name]=$message
    done <"$scratch/results"
    absent=()
    for name in ${missing[@]+"${missing[@]}"}; do
      if is_right "$name" "$name.part" && [[ -z ${failed[$name]-} ]]; then
        mv -f -- "$name.part" "$name"
        fetched=$((fetched + 1))
        continue
      fi
      absent+=("$name")
      reasons[$name]=${failed[$name]:-$reason}
      # Whole but wrong, or no byte further: from the beginning.
      if [[ -z ${failed[$name]-} || $(size_of "$name.part") == "${before[$name]:-0}" ]]; then
        rm -f -- "$name.part"
      fi
    done
    missing=(${absent[@]+"${absent[@]}"})
  done

  say "Fetched $fetched files into $out, $kept were there already"
  ((${#missing[@]})) || return 0
  for name in "${missing[@]}"; do say "$name: ${reasons[$name]}"; done
  say "${#missing[@]} files are missing; the same command goes on"
  return 1
}

# In a process group of its own, which ends as a whole.
set -m
fetch_all &
worker=$!
set +m
# shellcheck disable=SC2317 # called by traps
stop() {
  kill -- "-$worker" 2>/dev/null || true
  say 'fetch_quickdraw.sh: interrupted; the same command goes on'
  exit "$1"
}
trap 'rm -rf "$scratch"' EXIT
trap 'stop 130' INT
trap 'stop 143' TERM
wait "$worker"
