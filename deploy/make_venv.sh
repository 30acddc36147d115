#!/usr/bin/env bash
# Makes the checkout's virtual environment with the Python client in it.
set -euo pipefail

usage() {
  cat <<'END'
Usage: deploy/make_venv.sh [--tests]

Makes .venv, or completes the one that is there, with the client installed
from client/python so that changes to it count at once. Does nothing where the
requirements are the same as last time.

  --tests   with everything the tests need (PyTorch among it: 5 GB)
END
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
name=quickstart
requirements=(-r "$root/deploy/requirements.txt")
while (($#)); do
  case $1 in
    --help | -h) usage && exit ;;
    --tests)
      name=tests
      requirements+=(-r "$root/tests/requirements.txt")
      ;;
    *) echo "make_venv.sh: no option '$1'; see --help" >&2 && exit 2 ;;
  esac
  shift
done

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  echo "Making ${venv#"$root"/}"
  python3 -m venv --clear "$venv"
fi

files=("$root/client/python/pyproject.toml" "$root/deploy/requirements.txt")
[[ $name == quickstart ]] || files+=("$root/tests/requirements.txt")
wanted=$(
  "$venv/bin/python" --version
  echo "$root"
  sha256sum "${files[@]}" | cut -d' ' -f1
)
stamp=$venv/.complete-$name
[[ -e $stamp && $(<"$stamp") == "$wanted" ]] && exit
echo "Installing Python packages into ${venv#"$root"/}"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  "${requirements[@]}" -e "$root/client/python"
echo "$wanted" >"$stamp"
