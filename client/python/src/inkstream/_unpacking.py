"""Packed batches into their bytes, where Python itself reads them (grpcio).

libinkstream does the same on its own thread. Nothing of the header is believed: sizes are
compared before anything is allocated by them, and a frame writes into memory of the size that
was announced.
"""

from __future__ import annotations

import importlib
from typing import Any

from inkstream._errors import DataLoss, FixRequest
from inkstream.v1 import batch_pb2, plan_pb2

_INSTALL = "pip install 'inkstream[zstd]'"


def zstandard() -> Any | None:
    """The package, where it is installed."""
    try:
        return importlib.import_module("zstandard")
    except ImportError:
        return None


def without_native(delivery: plan_pb2.Delivery) -> str:
    """Makes `delivery` what grpcio alone can read; answers why, where it had to be changed.

    FixRequest: what was asked for cannot be had without libinkstream.
    """
    if delivery.codec == plan_pb2.CODEC_STROKES:
        raise FixRequest(
            'codec = "strokes" needs libinkstream, which draws the images '
            '(inkstream.connect(...).transport says why it is not used); use codec="zstd"'
        )
    if delivery.codec == plan_pb2.CODEC_NONE or zstandard() is not None:
        return ""
    if delivery.codec == plan_pb2.CODEC_AUTO:
        delivery.codec = plan_pb2.CODEC_NONE
        return f"neither libinkstream nor the package zstandard is there ({_INSTALL})"
    raise FixRequest(
        'codec = "zstd" needs libinkstream or the package zstandard, and neither is there: '
        f'{_INSTALL}, or leave codec="none"'
    )


def check_chunks(header: batch_pb2.BatchHeader) -> None:
    """DataLoss where the chunks are not what the batch announces."""
    unpacked = packed = 0
    for chunk in header.chunks:
        if chunk.strokes_bytes or not 0 < chunk.wire_bytes <= chunk.bytes:
            raise DataLoss(
                f"batch {header.batch_seq}: {chunk.wire_bytes} bytes cannot stand for {chunk.bytes}"
            )
        unpacked += chunk.bytes
        packed += chunk.wire_bytes
    if unpacked != header.byte_size or packed != header.wire_size:
        raise DataLoss(
            f"batch {header.batch_seq}: its chunks are {unpacked} bytes in {packed}, announced are "
            f"{header.byte_size} in {header.wire_size}"
        )


def unpack(header: batch_pb2.BatchHeader, packed: memoryview, memory: memoryview) -> None:
    """Fills `memory`. DataLoss where `packed` is not what the checked header says."""
    module = zstandard()
    if module is None:
        raise DataLoss(f"batch {header.batch_seq} is packed, which was not asked for")
    decompressor = module.ZstdDecompressor()
    at = offset = 0
    for chunk in header.chunks:
        run = packed[at : at + chunk.wire_bytes]
        out = memory[offset : offset + chunk.bytes]
        if chunk.wire_bytes == chunk.bytes:
            out[:] = run
        else:
            _decompress(module, decompressor, run, out, header.batch_seq)
        at += chunk.wire_bytes
        offset += chunk.bytes


def _decompress(
    module: Any, decompressor: Any, run: memoryview, out: memoryview, batch_seq: int
) -> None:
    filled = 0
    try:
        with decompressor.stream_reader(run) as reader:
            while filled < len(out):
                count = reader.readinto(out[filled:])
                if not count:
                    break
                filled += count
            more = reader.read(1)
    except module.ZstdError as error:
        raise DataLoss(f"batch {batch_seq} does not decompress: {error}") from None
    if filled != len(out) or more:
        raise DataLoss(f"batch {batch_seq}: a frame does not stand for {len(out)} bytes")
