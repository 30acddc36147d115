"""The suite's words as Protobuf's JSON of the contract, which the C++ client's program reads."""

from __future__ import annotations

from typing import Any

Words = dict[str, Any]

_OPERATORS = {
    "==": "OP_EQ",
    "!=": "OP_NE",
    "<": "OP_LT",
    "<=": "OP_LE",
    ">": "OP_GT",
    ">=": "OP_GE",
    "in": "OP_IN",
    "not in": "OP_NOT_IN",
}
_DELIVERY = (
    "columns",
    "ignore_index",
    "batch_size",
    "rank",
    "world",
    "step_offset",
    "step_stride",
    "views",
    "max_bad",
    "tail",
    "on_corrupt",
    "image",
    "strokes",
    "augment",
    "codec",
    "epochs",
)
_ORDER = ("seed", "shuffle", "window", "sampling")
_ENUMS = ("dtype", "layout", "fit", "quality", "format", "scale", "too_long", "tail", "on_corrupt")


def _named(words: Words) -> Words:
    """Words of enumerators by the contract's names."""
    return {n: f"{n}_{v}".upper() if n in _ENUMS else v for n, v in words.items()}


def view_of(words: Words) -> Words:
    where = [
        {"column": column, "op": _OPERATORS[operator], "values": values}
        for column, operator, values in words.get("where", [])
    ]
    return {**words, "where": where}


def _sampling_of(words: Words) -> Words:
    if "balanced" in words:
        return {"balanced": {"alpha": words["balanced"]}}
    if "mix" in words:
        views = [view_of(view) for view in words["mix"]]
        return {"mix": {"views": views, "weights": words["weights"]}}
    if "drawings" in words:
        return {"drawings": {"weights": words["drawings"]}}
    return {"weights": words} if words else {}


def _order_of(words: Words) -> Words:
    order = {name: words[name] for name in _ORDER if name in words}
    order["shuffle"] = f"SHUFFLE_{words.get('shuffle', 'full')}".upper()
    order["sampling"] = _sampling_of(words.get("sampling") or {})
    return order


def _delivery_of(words: Words) -> Words:
    delivery = _named({name: words[name] for name in _DELIVERY if name in words})
    delivery["codec"] = "CODEC_NONE" if words.get("codec") == "none" else "CODEC_STROKES"
    if words.get("epochs") == "forever":
        del delivery["epochs"]
        delivery["forever"] = True
    for tensor in ("image", "strokes"):
        if tensor in delivery:
            delivery[tensor] = _named(delivery[tensor])
    if augment := words.get("augment"):
        delivery["augment"] = {
            name: {"low": value[0], "high": value[1]} if isinstance(value, list) else value
            for name, value in augment.items()
        }
    return delivery


def command_of(words: Words) -> Words:
    """A command in which the plan's words are one StreamBatchesRequest, and views are the
    contract's."""
    plan = ("view", "start", *_ORDER, *_DELIVERY)
    command = {name: value for name, value in words.items() if name not in plan}
    view = view_of(words.get("view", {}))
    if words["do"] == "describe":
        return {**command, "view": view}
    if words["do"] not in ("open", "fetch", "plan"):
        return command
    opening = {"view": view, "order": _order_of(words), "delivery": _delivery_of(words)}
    if start := words.get("start"):
        opening["cursor"] = start
    return {**command, "request": {"open": opening}}
