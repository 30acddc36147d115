#!/usr/bin/env bash
# Format and types of everything that is tracked or about to be.
set -uo pipefail

if (($#)); then
  echo 'Usage: tests/lint.sh
Checks formats and types: clang-format, ruff, mypy, shellcheck, no paths of
one machine. Run by tests/run.sh, which installs the tools.'
  [[ $1 == --help || $1 == -h ]] && exit
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
venv=$root/.venv/bin
problems=0

# Files of the working tree that match, without those git ignores or that are
# deleted and not yet committed.
files() {
  git ls-files --cached --others --exclude-standard -- "$@" |
    while IFS= read -r file; do [[ -f $file ]] && printf '%s\n' "$file"; done
}

check() {
  local title=$1
  shift
  if "$@"; then
    echo "ok       $title"
  else
    echo "PROBLEM  $title"
    ((++problems))
  fi
}

no_paths_of_one_machine() {
  ! git grep --untracked -nIE '(^|[^A-Za-z0-9_.$}/-])/(home|root|work|Users)/[A-Za-z]'
}

mapfile -t cpp < <(files '*.cc' '*.h')
mapfile -t shell < <(files '*.sh' '.ci/run')

check 'clang-format' clang-format --dry-run -Werror "${cpp[@]}"
check 'ruff check' "$venv/ruff" check -q .
check 'ruff check, Python 3.14' "$venv/ruff" check -q --target-version py314 --select E9,F client
check 'ruff format' "$venv/ruff" format -q --check .
check 'mypy, the client' env MYPYPATH=client/python/src \
  "$venv/mypy" --config-file client/python/pyproject.toml client/python/src
# The oldest Python is in pyproject.toml; this is the newest.
check 'mypy, the client in Python 3.14' env MYPYPATH=client/python/src \
  "$venv/mypy" --config-file client/python/pyproject.toml --python-version 3.14 client/python/src
check 'mypy, a user of the client' env MYPYPATH=client/python/src \
  "$venv/mypy" --config-file client/python/pyproject.toml tests/python/typed
check 'mypy, deploy' "$venv/mypy" --config-file .mypy.ini \
  --exclude deploy/server_wheel/setup.py deploy
check 'mypy, system tests' "$venv/mypy" --config-file .mypy.ini \
  --exclude tests/system/containers tests/system
check 'mypy, container tests' "$venv/mypy" --config-file .mypy.ini tests/system/containers
check 'no paths of one machine' no_paths_of_one_machine
check 'shellcheck' shellcheck -x "${shell[@]}"

if ((problems)); then
  echo "lint: $problems checks found problems"
  exit 1
fi
echo "lint: clean (${#cpp[@]} C++ files, ${#shell[@]} shell scripts, Python)"
