"""Keywords that a function does not have are refused with the one that was probably meant."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from inkstream._request.values import nearest
from inkstream.errors import FixRequest

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

# What other libraries call a keyword of ours.
_CALLED = {
    "augment": "augmentation augmentations transform transforms",
    "batch_size": "bs",
    "channels": "num_channels",
    "columns": "labels target targets features",
    "epochs": "num_epochs max_epochs repeat",
    "flip_x": "hflip horizontal_flip",
    "flip_y": "vflip vertical_flip",
    "image": "dtype image_size img_size resolution size target_size",
    "include_keys": "keys",
    "index": "indices ids idx",
    "jitter": "noise",
    "key_id": "keys key_ids key",
    "layout": "data_format",
    "line_width": "stroke_width thickness",
    "max_len": "max_length max_seq_len",
    "max_per_class": "limit",
    "path": "store filename",
    "quality": "antialias",
    "rank": "process_index shard_id shard_index",
    "rotation": "degrees rotate",
    "sampling": "sampler batch_sampler weights class_weights",
    "seed": "generator random_seed random_state",
    "shuffle": "buffer_size shuffle_buffer_size",
    "start": "cursor resume resume_from state state_dict",
    "tail": "drop_last drop_last_batch drop_remainder",
    "target": "address addr endpoint endpoints host url uri",
    "tls": "ssl secure ca",
    "token": "api_key",
    "view": "classes split subset where filter data_source",
    "where": "filter filters",
    "world": "num_replicas num_shards shard_count world_size num_ranks",
}
# How a synonym is said here, where its name alone would not do.
_SAID = {
    "tail": 'tail="drop", "partial" or "pad"',
    "shuffle": 'shuffle="window:N", N in drawings',
    "image": "image=Image(128)",
    "augment": "augment=Augment(...)",
    "columns": 'columns=["label"]',
    "view": 'the view, such as View("train", classes=["cat"])',
}
# What there is to say of keywords that a function over drawings does not have.
_TOLD = {
    "leave it out: no worker processes are needed, drawings come as ready batches": (
        "num_workers workers worker_count worker_init_fn persistent_workers "
        "multiprocessing_context num_proc num_parallel_calls num_threads"
    ),
    "leave it out: batches are read ahead by themselves": (
        "prefetch_factor prefetch prefetch_batches num_prefetch"
    ),
    "leave it out: inkstream.torch.loader page-locks its memory once CUDA is in use": (
        "pin_memory pin_memory_device"
    ),
    "leave it out: batches come ready (torch's own DataLoader takes inkstream.torch.collate)": (
        "collate_fn collate"
    ),
    "that is for stream(), which decides what comes and when; here drawings are asked for": (
        "batch_size epochs rank world shuffle sampling tail start codec max_bad "
        "step_offset step_stride"
    ),
    "inkstream.torch.loader() has it": "train device",
    "leave it out: bytes travel in gRPC's messages": "transport",
}
_SAYS = {keyword: said for said, keywords in _TOLD.items() for keyword in keywords.split()}


def checked_keywords(*more: type) -> Callable[[F], F]:
    """Decorates a function: FixRequest for a call that does not fit its signature.

    `more`: TypedDicts whose keys its `**keywords` takes.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        name = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]
        places = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        bound = bool(places) and places[0].name in ("self", "cls")
        known = [p.name for p in places[bound:]]
        known += [key for kind in more for key in kind.__annotations__]
        expected = frozenset(known)

        @functools.wraps(function)
        def checked(*args: Any, **keywords: Any) -> Any:
            if not expected.issuperset(keywords):
                refuse_unknown(name, keywords, known)
            try:
                signature.bind(*args, **keywords)
            except TypeError as error:
                said = str(error)
                if said.startswith("too many"):
                    by_place = [p.name for p in places[bound:] if p.kind is not p.KEYWORD_ONLY]
                    said = f"only {', '.join(by_place)}" if by_place else "nothing"
                    said += f" may go without its name, and {len(args) - bound} values do"
                raise FixRequest(f"{name}(): {said}") from None
            return function(*args, **keywords)

        return checked  # type: ignore[return-value]

    return decorate


def checked_fields(cls: C) -> C:
    """Decorates a dataclass: its constructor as `checked_keywords` has it."""
    cls.__init__ = checked_keywords()(cls.__init__)  # type: ignore[misc]
    return cls


def refuse_unknown(name: str, keywords: Iterable[str], known: Sequence[str]) -> None:
    """FixRequest for the first of the keywords given to `name` that is not known."""
    for keyword in keywords:
        if keyword not in known:
            raise FixRequest(_refusal(name, keyword, known))


def _refusal(name: str, keyword: str, known: Sequence[str]) -> str:
    said = f"{name}() has no keyword {keyword!r}"
    meant = [ours for ours, others in _CALLED.items() if keyword in others.split()]
    for ours in meant:
        if ours in known:
            return f"{said}; here that is {_SAID.get(ours, f'{ours}=')}"
    for ours in (keyword, *meant):
        if ours in _SAYS and "columns" in known:
            return f"{said}; {_SAYS[ours]}"
    return said + (nearest(keyword, known) or f"; it has {', '.join(known)}")
