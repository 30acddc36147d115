"""A Batch for JAX, which takes what it knows as a tree of arrays."""

from __future__ import annotations

import sys
from typing import Any

_done = False


def register_with_jax(batch_type: type, rebuild: Any) -> None:
    """Tells JAX of `batch_type`, where somebody has imported it. Called with every batch.

    `rebuild(names, arrays)` makes a batch of what came back. Only names go along: what else a
    batch knows changes with every step, and JAX would compile anew for each.
    """
    global _done
    if _done or "jax" not in sys.modules:
        return
    tree_util = getattr(sys.modules["jax"], "tree_util", None)
    if tree_util is None:  # it is being imported
        return
    _done = True

    def flatten(batch: Any) -> tuple[list[tuple[Any, Any]], tuple[str, ...]]:
        return [(tree_util.DictKey(name), batch[name]) for name in batch], tuple(batch)

    tree_util.register_pytree_with_keys(batch_type, flatten, rebuild)
