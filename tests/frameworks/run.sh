#!/usr/bin/env bash
# The adapters beside the real frameworks, in environments of their own.
set -euo pipefail

usage() {
  cat <<'END'
Usage: tests/frameworks/run.sh [ENVIRONMENT...] [-- PYTEST ARGUMENT...]

Makes .cache/frameworks/ENVIRONMENT for each file requirements-ENVIRONMENT.txt
here (torch, jax, tensorflow, ray, oldest; all where none is named), installs
what the file lists with pip, and runs the tests beside it. What the checkout's
.venv has, PyTorch and Lightning among it, is taken from there. Ends with a
closing line; prints the versions that were run.

oldest has the lower bounds of client/python/pyproject.toml, and runs tests of
the client itself.

An environment that pip cannot complete is skipped, with its reason: where there
is no network, there are no frameworks. Each framework's tests are skipped, with
a message, where it is not installed.

Examples:
  tests/frameworks/run.sh
  tests/frameworks/run.sh jax -- -k sharding
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/frameworks
# What of the client's own tests is of an environment's frameworks too.
declare -A more=(
  [torch]='tests/python/test_hf_trainer.py tests/python/test_accelerate.py
    tests/python/test_lightning.py tests/python/test_which_with_what.py'
  # No framework: those of the checkout's .venv want newer packages than these.
  [oldest]='tests/python/test_client.py tests/python/test_codec.py
    tests/python/test_connections.py tests/python/test_fetch.py tests/python/test_order.py
    tests/python/test_plan.py tests/python/test_unix_socket.py
    tests/python/test_weights.py tests/python/test_wire.py'
)

made() {
  local venv=$cache/$1 list=$here/requirements-$1.txt stamp
  stamp=$(cat "$list" "$root/client/python/pyproject.toml" | sha256sum)
  [[ -e $venv/.complete && $(<"$venv/.complete") == "$stamp" ]] && return
  echo "Installing ${list##*/} into ${venv#"$root"/}"
  [[ -x $venv/bin/python ]] || python3 -m venv "$venv" || return
  local site
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  # addsitedir: what lies there by way of files like this one is found too.
  printf '%s\n' "$root/client/python/src" "import site; site.addsitedir('$(
    "$root/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
  )')" >"$site/checkout.pth"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" || return
  echo "$stamp" >"$venv/.complete"
}

environments=()
while (($#)); do
  case $1 in
    --help | -h) usage && exit ;;
    --) shift && break ;;
    *)
      [[ -e $here/requirements-$1.txt ]] || { echo "run.sh: no environment '$1'; see --help" >&2 && exit 2; }
      environments+=("$1")
      ;;
  esac
  shift
done
((${#environments[@]})) || environments=(torch jax tensorflow ray oldest)

cd "$root"
ran=() skipped=() failed=()
for name in "${environments[@]}"; do
  echo "-- $name"
  if ! made "$name"; then
    echo "SKIPPED: pip cannot complete requirements-$name.txt"
    skipped+=("$name")
    continue
  fi
  python=$cache/$name/bin/python
  read -ra also <<<"$(tr '\n' ' ' <<<"${more[$name]-}")"
  [[ $name == oldest ]] || also=(tests/frameworks "${also[@]}")
  status=0
  "$python" -m pytest -q -ra -p no:cacheprovider "${also[@]}" "$@" || status=$?
  # 5: no test of that name here.
  if ((status == 0 || status == 5)); then ran+=("$name"); else failed+=("$name"); fi
  "$python" tests/frameworks/versions.py "$name"
done

line="frameworks: ran ${ran[*]:-none}"
((${#skipped[@]} == 0)) || line+="; SKIPPED ${skipped[*]}"
((${#failed[@]} == 0)) || line+="; FAILED ${failed[*]}"
echo "$line"
((${#failed[@]} == 0))
