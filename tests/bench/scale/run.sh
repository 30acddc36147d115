#!/usr/bin/env bash
# Generated drawings through ingest, verify and serve at three sizes: what each
# step costs, and whether cost grows linearly.
set -euo pipefail

usage() {
  cat <<'END'
Usage: tests/bench/scale/run.sh [OPTION...]

Runs N/100, N/10 and N generated drawings through `generate | ingest`, `verify`
and `serve`, prints a table, appends one JSON line a size to results.jsonl, and
removes its stores. Options are those of scale.py (--drawings N, default 50M).

Examples:
  tests/bench/scale/run.sh --drawings 1M
  tests/bench/scale/run.sh --drawings 50M --directory /mnt/big
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
[[ -x $python ]] || python=python3
"$python" -c 'import grpc, numpy' 2>/dev/null || {
  echo "run.sh: $python has no grpc or numpy; run deploy/make_venv.sh or set PYTHON" >&2
  exit 1
}
[[ ${1-} == --help || ${1-} == -h ]] && usage
export PYTHONPATH=$root/client/python/src${PYTHONPATH:+:$PYTHONPATH}
exec "$python" "$here/scale.py" "$@"
