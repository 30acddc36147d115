"""A server of the contract without a store: pixels are a function of the index.

For what a real server cannot be told to do: cut batches in odd places, vanish in mid-batch,
fall silent, hold other data. Order is (position * 7 + seed + epoch) mod N.
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field

import grpc
import numpy as np
from inkstream.v1 import batch_pb2, dataset_pb2, plan_pb2, service_pb2

FINGERPRINT = "ab" * 32
PLAN_HASH = "cd" * 16
CLASSES = ["ant", "bee", "cat", "dog"]


@dataclass
class Behaviour:
    """How this server misbehaves."""

    size: int = 101
    fingerprint: str = FINGERPRINT
    raster_version: int = 1
    refuses_unknown: bool = False  # as no server of an earlier release does
    codecs: Sequence[int] = (plan_pb2.CODEC_NONE, plan_pb2.CODEC_STROKES)  # that it says it has
    max_data: int = 1 << 20  # bytes of data a message
    batches_a_message: int = 1
    vanish_after: int | None = None  # batches; then UNAVAILABLE, in mid-batch if cut
    silent_after: int | None = None  # batches; then nothing more
    rebalance_after: int | None = None  # batches; then an end part
    refuse: list[tuple[grpc.StatusCode, str]] = field(default_factory=list)
    refuse_fetches: list[tuple[grpc.StatusCode, str]] = field(default_factory=list)
    fetched: int = 1  # batches that answer one fetch
    silent_fetches: bool = False  # which are never answered
    silent_from_row: float = math.inf  # fetches of this row and higher ones are not answered
    vanish_after_fetches: float = math.inf  # further ones are UNAVAILABLE
    fetches_together: int = 1  # under way before any is answered
    empty: int = 0  # streams that break with an empty message behind their first batches
    crooked: int = 0  # bytes before the data, so that arrays stand crooked


class Refused(Exception):
    pass


class FakeServer:
    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.opened: list[service_pb2.StreamBatchesRequest] = []
        self.fetches: list[service_pb2.FetchDrawingsRequest] = []
        self.granted: list[int] = []
        self.active = 0
        self._counting = threading.Lock()
        self._begun = self.fetching = self.answered = 0
        self._together = threading.Barrier(self.behaviour.fetches_together)
        self.ahead = self.most_ahead = 0
        self._server = grpc.server(futures.ThreadPoolExecutor(16))
        raw = lambda message: message  # noqa: E731
        unary = grpc.unary_unary_rpc_method_handler
        handlers = {
            "DescribeDataset": unary(
                self._describe,
                dataset_pb2.DescribeDatasetRequest.FromString,
                dataset_pb2.DescribeDatasetResponse.SerializeToString,
            ),
            "ExplainPlan": unary(
                lambda _, __: service_pb2.ExplainPlanResponse(dataset="fake"),
                service_pb2.ExplainPlanRequest.FromString,
                service_pb2.ExplainPlanResponse.SerializeToString,
            ),
            "StreamBatches": grpc.stream_stream_rpc_method_handler(
                self._stream, service_pb2.StreamBatchesRequest.FromString, raw
            ),
            "FetchDrawings": grpc.unary_stream_rpc_method_handler(
                self._fetch, service_pb2.FetchDrawingsRequest.FromString, raw
            ),
        }
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("inkstream.v1.DrawingService", handlers)]
        )
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait(5)

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _describe(
        self, request: dataset_pb2.DescribeDatasetRequest, context: grpc.ServicerContext
    ) -> dataset_pb2.DescribeDatasetResponse:
        if request.dataset not in ("", "fake"):
            context.abort(grpc.StatusCode.NOT_FOUND, f'no "{request.dataset}"; nearest: "fake"')
        size = self.behaviour.size
        return dataset_pb2.DescribeDatasetResponse(
            dataset="fake",
            fingerprint=self.behaviour.fingerprint,
            drawings=size,
            view_drawings=size,
            splits=[dataset_pb2.Split(name="train", drawings=size)],
            classes=[dataset_pb2.ClassCount(word=w, drawings=size // 4) for w in CLASSES],
            columns=[dataset_pb2.Column(name="label", present=size)],
            raster_version=self.behaviour.raster_version,
            codecs=self.behaviour.codecs,
        )

    def _fetch(
        self, request: service_pb2.FetchDrawingsRequest, context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        how = self.behaviour
        rows = np.array(list(request.rank) or list(request.index), np.int64)
        self.fetches.append(request)
        if how.refuse_fetches:
            context.abort(*how.refuse_fetches.pop(0))
        with self._counting:
            number = self._begun
            self._begun += 1
            self.fetching += 1
        over = threading.Event()
        context.add_callback(over.set)
        context.add_callback(self._fetched)
        if how.silent_fetches or rows.min() >= how.silent_from_row:
            over.wait()
        if number >= how.vanish_after_fetches:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the fake server vanished")
        self._together.wait(20)
        with self._counting:
            self.answered += 1
        opened = batch_pb2.StreamOpened(
            dataset="fake",
            raster_version=how.raster_version,
            vocabulary=CLASSES,
            refuses_unknown=how.refuses_unknown,
        )
        yield batch_pb2.BatchPart(opened=opened).SerializeToString()
        for seq in range(self.behaviour.fetched):
            header, data = batch_of(seq, rows, np.ones(len(rows), bool), request.delivery, None)
            yield from cut(header, data, self.behaviour)

    def _stream(
        self, requests: Iterator[service_pb2.StreamBatchesRequest], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        first = next(requests)
        self.opened.append(first)
        if self.behaviour.refuse:
            code, text = self.behaviour.refuse.pop(0)
            context.abort(code, text)
        credits: queue.Queue[int] = queue.Queue()
        credits.put(first.credits)

        def listen() -> None:
            try:
                for request in requests:
                    self.granted.append(request.credits)
                    credits.put(request.credits)
            except Exception:
                pass

        threading.Thread(target=listen, daemon=True).start()
        self.active += 1
        context.add_callback(self._left)
        batches = self._batches(first.open, credits, context)
        if self.behaviour.empty > 0:
            self.behaviour.empty -= 1
            yield from itertools.islice(batches, 3)
            yield b""
        yield from batches

    def _fetched(self) -> None:
        with self._counting:
            self.fetching -= 1

    def _left(self) -> None:
        self.active -= 1

    def _batches(
        self,
        opening: service_pb2.StreamBatchesRequest.Open,
        credits: queue.Queue[int],
        context: grpc.ServicerContext,
    ) -> Iterator[bytes]:
        how, delivery = self.behaviour, opening.delivery
        cursor = plan_pb2.Cursor(
            version=1, fingerprint=how.fingerprint, plan_hash=PLAN_HASH, seed=opening.order.seed
        )
        if opening.HasField("cursor"):
            cursor.epoch, cursor.position = opening.cursor.epoch, opening.cursor.position
        step_size = delivery.batch_size * delivery.world
        steps = how.size // step_size
        opened = batch_pb2.StreamOpened(
            dataset="fake",
            cursor=cursor,
            view_size=how.size,
            steps_per_epoch=steps,
            raster_version=how.raster_version,
            codec=plan_pb2.CODEC_STROKES
            if delivery.codec == plan_pb2.CODEC_STROKES
            and delivery.raster_version in (0, how.raster_version)
            else plan_pb2.CODEC_NONE,
            vocabulary=CLASSES,
            credit_window=8,
            refuses_unknown=how.refuses_unknown,
        )
        opened.cursor.order_plan = "inkstream order plan 1\nshuffle=fake\n"
        yield batch_pb2.BatchPart(opened=opened).SerializeToString()
        held: list[tuple[batch_pb2.BatchHeader, bytes]] = []
        available, sent = 0, 0
        while delivery.forever or cursor.epoch < delivery.epochs:
            begin = cursor.position
            if begin + step_size > how.size:
                cursor.epoch, cursor.position = cursor.epoch + 1, 0
                continue
            while available == 0:
                if held:
                    yield several(held)
                    held = []
                if not context.is_active():
                    return
                try:
                    available += credits.get(timeout=0.05)
                except queue.Empty:
                    continue
            available -= 1
            position = begin + delivery.rank * delivery.batch_size
            rows = np.arange(position, position + delivery.batch_size)
            rows = (rows * 7 + opening.order.seed + cursor.epoch) % how.size
            epoch, step = cursor.epoch, begin // step_size
            cursor.position = begin + step_size
            if cursor.position + step_size > how.size:
                cursor.epoch, cursor.position = cursor.epoch + 1, 0
            header, data = batch_of(sent, rows, np.ones(len(rows), bool), delivery, cursor)
            header.epoch, header.step = epoch, step
            parts = list(cut(header, data, how))
            if how.vanish_after is not None and sent >= how.vanish_after:
                if held:
                    yield several(held)
                yield from parts[:-1]
                context.abort(grpc.StatusCode.UNAVAILABLE, "the fake server vanished")
            if how.silent_after is not None and sent >= how.silent_after:
                while context.is_active():
                    time.sleep(0.02)
                return
            sent += 1
            if how.batches_a_message > 1:
                held.append((header, data))
                if len(held) == how.batches_a_message:
                    yield several(held)
                    held = []
            else:
                yield from parts
            if how.rebalance_after is not None and sent >= how.rebalance_after:
                break
        if held:
            yield several(held)
        end = batch_pb2.BatchPart()
        end.end.cursor.CopyFrom(cursor)
        done = delivery.forever or cursor.epoch < delivery.epochs
        end.end.reason = (
            batch_pb2.StreamEnd.REASON_REBALANCE if done else batch_pb2.StreamEnd.REASON_EPOCHS_DONE
        )
        yield end.SerializeToString()


def pixels(index: int, height: int, width: int) -> np.ndarray:
    return (np.arange(height * width, dtype=np.uint32) * 31 + index * 17).astype(np.uint8)


def batch_of(
    sequence: int,
    rows: np.ndarray,
    valid: np.ndarray,
    delivery: plan_pb2.Delivery,
    cursor: plan_pb2.Cursor | None,
) -> tuple[batch_pb2.BatchHeader, bytes]:
    header = batch_pb2.BatchHeader(batch_seq=sequence)
    if cursor is not None:
        header.cursor.CopyFrom(cursor)
    arrays: dict[str, np.ndarray] = {"index": rows.astype(np.int64), "valid": valid}
    if "label" in delivery.columns:
        arrays["label"] = (rows % len(CLASSES)).astype(np.int64)
    if delivery.HasField("image"):
        height, width = delivery.image.height, delivery.image.width
        images = np.stack([pixels(int(i), height, width) for i in rows])
        arrays["image"] = images.reshape(len(rows), 1, height, width)
    numbers = {"uint8": 1, "int64": 3, "bool": 7}
    data = bytearray()
    for name, array in arrays.items():
        data.extend(b"\0" * (-len(data) % 64))
        header.tensors.add(
            name=name,
            dtype=numbers[array.dtype.name],  # type: ignore[arg-type]
            shape=array.shape,
            offset=len(data),
            length=array.nbytes,
        )
        data.extend(array.tobytes())
    header.byte_size = len(data)
    return header, bytes(data)


def cut(header: batch_pb2.BatchHeader, data: bytes, how: Behaviour) -> Iterator[bytes]:
    count = max(1, -(-len(data) // how.max_data))
    header.part_count = count
    for i in range(count):
        piece = data[i * how.max_data : (i + 1) * how.max_data]
        part = batch_pb2.BatchPart(
            batch_seq=header.batch_seq, part=i, offset=i * how.max_data, data=piece
        )
        if i == 0:
            part.batches.append(header)
        yield part.SerializeToString()


def several(held: list[tuple[batch_pb2.BatchHeader, bytes]]) -> bytes:
    data = bytearray()
    part = batch_pb2.BatchPart(batch_seq=held[0][0].batch_seq)
    for header, bytes_ in held:
        data.extend(b"\0" * (-len(data) % 64))
        header.part_count = 1
        header.data_offset = len(data)
        data.extend(bytes_)
        part.batches.append(header)
    part.data = bytes(data)
    return part.SerializeToString()
