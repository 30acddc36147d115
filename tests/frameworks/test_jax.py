"""JAX, Flax and Grain on streams."""

from __future__ import annotations

import os

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

import json
from itertools import islice
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Image, Strokes
from support.processes import Server, run_python

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402
from inkstream.jax import batches  # noqa: E402

BATCH = 100


def indices(found: Any) -> list[list[int]]:
    return [np.asarray(batch["index"]).tolist() for batch in found]


class TestBatches:
    def test_they_are_the_streams(self, data: inkstream.Dataset) -> None:
        asked: dict[str, Any] = {"batch_size": BATCH, "image": Image(8)}
        columns = ["label", "timestamp", "key_id"]
        wanted = list(data.stream("train", columns=columns, **asked))
        feed = batches(data.stream("train", columns=columns, **asked))
        assert len(feed) == len(wanted)
        for batch, expected in zip(feed, wanted, strict=True):
            assert set(batch) == {"image", "label", "index", "valid"}
            assert all(isinstance(array, jax.Array) for array in batch.values())
            assert batch["label"].dtype == jnp.int32
            assert np.array_equal(batch["image"], expected.image)
            assert np.array_equal(batch["label"], expected.label)
            assert feed.batch is not None
            assert feed.batch.key_id.tolist() == expected.key_id.tolist()
            assert feed.batch.timestamp.tolist() == expected.timestamp.tolist()

    def test_state_is_of_the_batch_handed_out(self, data: inkstream.Dataset) -> None:
        wanted = [b.index.tolist() for b in data.stream("train", batch_size=BATCH, epochs=2)]
        feed = batches(data.stream("train", batch_size=BATCH, epochs=2))
        start = feed.state_dict()
        assert start["position"] == 0
        assert indices(islice(feed, 4)) == wanted[:4]
        state = json.loads(json.dumps(feed.state_dict()))
        assert state["position"] == 4 * BATCH
        again = batches(data.stream("train", batch_size=BATCH, epochs=2))
        again.load_state_dict(state)
        assert again.state_dict() == state
        assert indices(again) == wanted[4:]
        assert next(feed)["index"].tolist() == wanted[4]
        feed.load_state_dict(start)
        assert indices(feed) == wanted

    def test_a_device_is_where_all_of_it_goes(self, data: inkstream.Dataset) -> None:
        other = jax.devices()[1]
        batch = next(batches(data.stream("train", batch_size=BATCH, image=8), other))
        assert all(array.devices() == {other} for array in batch.values())
        with pytest.raises(inkstream.FixRequest, match=r"sharding = 'data'.*jax\.devices\(\)"):
            batches(data.stream("train", batch_size=BATCH), "data")

    def test_an_error_comes_in_its_turn(self, data: inkstream.Dataset) -> None:
        stream = data.stream("train", batch_size=BATCH)
        feed = batches(stream)
        first = next(feed)["index"].tolist()
        stream.close()
        second = next(feed)["index"].tolist()  # was on its way
        assert first != second
        with pytest.raises(inkstream.Closed):
            next(feed)

    def test_bfloat16_is_a_number(self, data: inkstream.Dataset) -> None:
        image = Image(8, dtype="bfloat16", layout="NHWC")
        batch = next(batches(data.stream("train", image=image)))
        wanted = next(data.stream("train", image=image))
        assert batch["image"].dtype == jnp.bfloat16
        assert np.array_equal(np.asarray(batch["image"], np.float32), wanted.float32("image"))

    def test_shapes_stay_so_that_it_compiles_once(self, data: inkstream.Dataset) -> None:
        compiled = []

        @jax.jit
        def counted(batch: Any) -> Any:
            compiled.append(1)
            return batch["valid"].sum()

        feed = batches(data.stream("valid", batch_size=BATCH, image=8, epochs=2, tail="pad"))
        total = sum(int(counted(batch)) for batch in feed)
        assert total == 2 * len(data["valid"])
        assert len(compiled) == 1
        for keywords in ({"tail": "partial"}, {"strokes": Strokes(9, ragged=True)}):
            with pytest.raises(inkstream.FixRequest, match="shape of its own"):
                batches(data.stream("valid", **keywords))
        with pytest.raises(inkstream.FixRequest, match=r"inkstream\.mix"):
            batches([])

    def test_a_sharding_spreads_them(self, data: inkstream.Dataset) -> None:
        assert jax.device_count() == 2
        mesh = jax.sharding.Mesh(jax.devices(), ("data",))
        sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
        batch = next(batches(data.stream("train", batch_size=BATCH, image=8), sharding))
        wanted = next(data.stream("train", batch_size=BATCH, image=8))
        parts = [np.asarray(shard.data) for shard in batch["image"].addressable_shards]
        assert [len(part) for part in parts] == [BATCH // 2] * 2
        assert np.array_equal(np.concatenate(parts), wanted.image)

    def test_a_mixture_is_a_stream(self, data: inkstream.Dataset) -> None:
        parts = [(data, "train", 1.0), (data, "valid", 1.0)]
        feed = batches(inkstream.mix(parts, batch_size=20, image=8))
        wanted = [b.index.tolist() for b in islice(inkstream.mix(parts, batch_size=20), 5)]
        assert indices(islice(feed, 3)) == wanted[:3]
        again = batches(inkstream.mix(parts, batch_size=20, image=8))
        again.load_state_dict(feed.state_dict())
        assert indices(islice(again, 2)) == wanted[3:]


PROCESS = """
import json, os, sys
import jax, numpy as np
jax.distributed.initialize(sys.argv[2], 2, int(sys.argv[3]))
import inkstream
from inkstream.jax import batches
data = inkstream.connect(sys.argv[1]).dataset()
mesh = jax.sharding.Mesh(jax.devices(), ("data",))
sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
stream = data.stream(
    "train", batch_size=50, rank=jax.process_index(), world=jax.process_count(), image=8
)
batch = next(batches(stream, sharding))
rows = [np.asarray(s.data).tolist() for s in batch["index"].addressable_shards]
print(json.dumps([list(batch["image"].shape), sum(rows, [])]))
"""


def test_two_processes_make_one_array(server: Server, data: inkstream.Dataset) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    environment = {"XLA_FLAGS": "", "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo"}
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(run_python, PROCESS, server.tcp, address, str(rank), **environment)
            for rank in range(2)
        ]
    for rank, run in enumerate(runs):
        done = run.result()
        assert done.returncode == 0, done.stderr
        shape, rows = json.loads(done.stdout.splitlines()[-1])
        assert shape == [100, 1, 8, 8]
        stream = data.stream("train", batch_size=50, rank=rank, world=2)
        assert rows == next(stream).index.tolist()


def test_a_flax_network_learns(data: inkstream.Dataset) -> None:
    nnx = pytest.importorskip("flax.nnx")
    optax = pytest.importorskip("optax")
    image = Image(16, dtype="float32", layout="NHWC")
    model = nnx.Linear(256, len(data.classes), rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)

    @nnx.jit
    def step(model: Any, optimizer: Any, batch: Any) -> Any:
        def loss_of(model: Any) -> Any:
            scores = model(batch["image"].reshape(len(batch["label"]), -1))
            losses = optax.softmax_cross_entropy_with_integer_labels(scores, batch["label"])
            return losses.mean()

        loss, gradients = nnx.value_and_grad(loss_of)(model)
        optimizer.update(model, gradients)
        return loss

    feed = batches(data.stream("train", batch_size=64, image=image, epochs=3))
    losses = [float(step(model, optimizer, batch)) for batch in feed]
    assert np.mean(losses[-10:]) < 0.5 * losses[0]


class TestGrain:
    def test_it_gives_a_streams_batches_and_goes_on(
        self, data: inkstream.Dataset, tmp_path: Path
    ) -> None:
        pytest.importorskip("grain")
        from inkstream.grain import IterDataset

        wanted = list(data.stream("train", batch_size=BATCH, image=8, epochs=2))
        dataset = IterDataset(data, "train", batch_size=BATCH, image=8, epochs=2).map(
            lambda batch: {"index": batch["index"], "image": batch["image"] / 255}
        )
        iterator = iter(dataset)
        found = list(islice(iterator, 4))
        assert np.allclose(found[3]["image"] * 255, wanted[3].image)
        state = json.loads(json.dumps(iterator.get_state()))
        rest = [batch["index"].tolist() for batch in iterator]
        assert rest == [batch.index.tolist() for batch in wanted[4:]]
        again = iter(dataset)
        again.set_state(state)
        assert [batch["index"].tolist() for batch in again] == rest
        with pytest.raises(inkstream.FixRequest, match="tail"):
            IterDataset(data, "train", drop_remainder=True)
        with pytest.raises(inkstream.FixRequest, match=r"give a dataset, such as client\.dataset"):
            IterDataset("drawings.ink")  # type: ignore[arg-type]
