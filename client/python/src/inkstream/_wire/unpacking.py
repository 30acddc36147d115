"""Packed batches into their bytes, where Python itself reads them (grpcio).

libinkstream does the same on its own thread. Nothing of the header is believed: sizes are
compared before anything is allocated by them, and a frame writes into memory of the size that
was announced.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from inkstream.errors import DataLoss, FixRequest
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
        delivery.codec = plan_pb2.CODEC_NONE
        return "libinkstream, which draws, is not used (inkstream.connect(...).transport says why)"
    if delivery.codec == plan_pb2.CODEC_NONE or zstandard() is not None:
        return ""
    raise FixRequest(
        'codec = "zstd" needs libinkstream or the package zstandard, and neither is there: '
        f'{_INSTALL}, or leave codec="none"'
    )


def check_chunks(header: batch_pb2.BatchHeader) -> None:
    """DataLoss where the chunks are not what the batch announces."""
    unpacked = packed = 0
    for chunk in header.chunks:
        size = chunk.sparse_bytes or chunk.bytes
        if not 0 < chunk.wire_bytes <= size <= chunk.bytes:
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
        full = memoryview(bytearray(chunk.sparse_bytes)) if chunk.sparse_bytes else out
        if len(run) == len(full):
            full[:] = run
        else:
            _decompress(module, decompressor, run, full, header.batch_seq)
        if chunk.sparse_bytes:
            _put_words_back(full, out, header.batch_seq)
        at += chunk.wire_bytes
        offset += chunk.bytes


def _put_words_back(sparse: memoryview, out: memoryview, batch_seq: int) -> None:
    words = len(out) // 4
    mask_bytes = -(-words // 8)
    tail = len(out) - 4 * words
    content = sparse[2 * mask_bytes :]
    masks = np.zeros(2 * mask_bytes, np.uint8)
    found = np.array(sparse[: 2 * mask_bytes], np.uint8)
    masks[: len(found)] = found
    bits = np.unpackbits(masks.reshape(2, -1), axis=1, bitorder="little").astype(bool)
    ones, others = bits[0, :words], bits[1, :words]
    if (
        not words
        or bits[:, words:].any()
        or (ones & others).any()
        or len(content) != 4 * int(others.sum()) + tail
    ):
        raise DataLoss(f"batch {batch_seq}: {len(sparse)} sparse bytes do not stand for {len(out)}")
    filled = np.frombuffer(out[: 4 * words], np.uint8).view(np.uint32)
    filled[:] = 0
    filled[ones] = 0xFFFFFFFF
    filled[others] = np.frombuffer(content[: len(content) - tail], np.uint8).view(np.uint32)
    out[4 * words :] = content[len(content) - tail :]


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
