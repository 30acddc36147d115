"""Ingest on a cluster: shards as Ray tasks, then one that merges them.

Each shard is an `inkstream ingest --shard I/N --resume` into a folder beside the store. A task
whose worker or node dies is run again, anywhere, and goes on with what lies there; so is a shard
that is complete already. The program ends with the worker that started it, so that two never
write to one shard.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import ray

from inkstream._command.program import MISSING, find_program
from inkstream._request.values import nearest, shown, whole
from inkstream.errors import FixRequest, InkstreamError

_OPTIONS = (
    "name", "keep", "format", "word", "split", "max_errors", "errors", "split_by", "split_list",
    "classes_file", "duplicates", "segment_drawings",
)  # fmt: skip
_OF_MERGE = ("duplicates",)
_PR_SET_PDEATHSIG = 1
_RETRIES = 4


def ingest(
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    store: str | os.PathLike[str],
    shards: int | None = None,
    *,
    threads: int = 1,
    **options: Any,
) -> dict[str, Any]:
    """Puts drawings from files into a store, by the tasks of a Ray cluster.

    `inputs`, `store`: paths that lie on all nodes, such as a network file system's. `shards`: how
    many tasks; left out, as many as the cluster can run at once. `threads`: of each, for which it
    takes as many CPUs. `options`: those of `inkstream ingest`, such as
    `split="train=0.9,valid=0.1"`; a list where an option may be repeated. `errors` is written once
    a shard, with its number behind the name.

    The store is what one `inkstream ingest` would make: the same fingerprint, however many shards
    there were. Called again after an interrupt, it goes on with the shards that it finds.
    Returns the summary: store, drawings, fingerprint, and the shards' own under "shards".
    FixRequest for what the program refuses, InkstreamError where it fails.
    """
    paths = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not paths:
        raise FixRequest("inputs is empty: give files or directories")
    sources = [os.path.abspath(path) for path in paths]
    target = os.path.abspath(store)
    if os.path.exists(target):
        raise FixRequest(f"{target} is there already: give another path, or delete it")
    flags = _flags(options)
    threads = whole("threads", threads, 1)
    if shards is None:
        shards = max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    count = whole("shards", shards, 1)
    run = ray.remote(_shard).options(num_cpus=threads, max_retries=_RETRIES)
    parts = [f"{target}.shard-{i}-of-{count}" for i in range(count)]
    tasks = []
    for i, part in enumerate(parts):
        own = [*flags, "--shard", f"{i}/{count}", "--threads", str(threads)]
        if "errors" in options:
            own += ["--errors", f"{os.path.abspath(options['errors'])}.{i}"]
        tasks.append(run.remote(["ingest", *sources, "--store", part, "--resume", *own]))
    try:
        summaries = ray.get(tasks)
        one = {"num_cpus": 1, "max_retries": _RETRIES}
        kept = {name: options[name] for name in _OF_MERGE if name in options}
        whole_store = f"{target}.merged"
        merge = ray.remote(_merge).options(**one)
        merged = ray.get(merge.remote(whole_store, parts, _flags(kept)))
        ray.get(ray.remote(_publish).options(**one).remote(whole_store, target, parts))
    except ray.exceptions.RayTaskError as error:
        for task in tasks:
            ray.cancel(task, force=True)
        cause = error.cause
        raise cause if isinstance(cause, InkstreamError) else error from None
    return {**merged, "store": target, "shards": summaries}


def _flags(options: Mapping[str, Any]) -> list[str]:
    flags = []
    for name, value in options.items():
        if name not in _OPTIONS:
            raise FixRequest(
                f"ingest() has no keyword {name!r}{nearest(name, _OPTIONS)}; it has "
                f"{', '.join(_OPTIONS)}"
            )
        if name == "errors":
            continue  # each shard has its own
        flag = "--" + name.replace("_", "-")
        for one in [value] if isinstance(value, (str, int, os.PathLike)) else value:
            if isinstance(one, bool) or not isinstance(one, (str, int, os.PathLike)):
                raise FixRequest(f"{name} = {shown(value)}: give a text or a number")
            flags += [flag, os.fspath(one) if isinstance(one, os.PathLike) else str(one)]
    return flags


def _shard(arguments: list[str]) -> dict[str, Any]:
    return _run(arguments)


def _merge(store: str, parts: list[str], flags: list[str]) -> dict[str, Any]:
    if os.path.exists(store):  # by a task that ended before it could say so
        shutil.rmtree(store)
    return _run(["merge", store, *parts, *flags])


def _publish(store: str, target: str, parts: list[str]) -> None:
    # Run again after any of its steps, it does the rest.
    if os.path.exists(store):
        os.rename(store, target)
    for part in parts:
        if os.path.exists(part):
            shutil.rmtree(part)


def _run(arguments: list[str]) -> dict[str, Any]:
    program = find_program()
    if program is None:
        raise InkstreamError(f"on node {ray.util.get_node_ip_address()}: {MISSING}")
    done = subprocess.run(
        [program, *arguments, "--json"],
        capture_output=True,
        text=True,
        preexec_fn=_end_with_parent,
    )
    if done.returncode == 0:
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary
    said = done.stderr.strip() or f"ended by {done.returncode}"
    if done.returncode == 2:
        raise FixRequest(said)
    raise InkstreamError(said)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
