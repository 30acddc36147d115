"""Ray Data and ingest on a local cluster of several nodes' processes."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
from inkstream import Augment, Image, Strokes, View
from support.processes import Server

ray = pytest.importorskip("ray")
from inkstream.ray import dataset, ingest  # noqa: E402

NODES = 2
MEMORY = 100 << 20


@pytest.fixture(scope="module")
def program(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as Ray's workers find it: one that can be made to fail."""
    made = tmp_path_factory.mktemp("program") / "inkstream"
    made.write_text(
        rf"""#!/usr/bin/env bash
trouble=$(dirname "$0")/trouble
if [[ " $* " == *" --shard 1/3 "* ]] && mv "$trouble" "$trouble.met" 2>/dev/null; then
  store=$(grep -oP -- '--store \K[^ ]+' <<<"$*")
  {binary} "$@" & ingest=$!
  # Once something of it lies there that is not all: its worker dies, as by the kernel's hand.
  until compgen -G "$store*/segment-*" >/dev/null; do :; done
  kill -KILL "$PPID"
  wait "$ingest"
  exit 1
fi
exec {binary} "$@"
"""
    )
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return made


@pytest.fixture(scope="module", autouse=True)
def cluster(program: Path) -> Iterator[None]:
    from ray.cluster_utils import Cluster

    before = os.environ.get("INKSTREAM_BINARY")
    os.environ["INKSTREAM_BINARY"] = str(program)
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    limits: dict[str, Any] = {"num_cpus": 2, "object_store_memory": MEMORY}
    made = Cluster(initialize_head=True, head_node_args={**limits, "include_dashboard": False})
    for _ in range(NODES - 1):
        made.add_node(**limits)
    ray.init(made.address, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()
    made.shutdown()
    if before is None:
        del os.environ["INKSTREAM_BINARY"]
    else:
        os.environ["INKSTREAM_BINARY"] = before


@pytest.fixture
def in_order() -> Iterator[None]:
    options = ray.data.DataContext.get_current().execution_options
    options.preserve_order = True
    yield
    options.preserve_order = False


def indices(batches: Any) -> list[int]:
    return [i for batch in batches for i in np.asarray(batch["index"]).tolist()]


class TestDataset:
    @pytest.mark.parametrize("blocks", [4, 16])
    def test_every_drawing_once_in_the_streams_order(
        self, data: inkstream.Dataset, in_order: None, blocks: int
    ) -> None:
        asked: dict[str, Any] = {"batch_size": 100, "image": Image(8), "seed": 3}
        augment = Augment(rotation=20)
        made = dataset(data, "train", epoch=1, blocks=blocks, augment=augment, **asked)
        assert made.count() == len(data["train"])
        stream = data.stream("train", epochs=2, tail="partial", augment=augment, **asked)
        stream.seek(epoch=1)
        wanted = list(stream)
        found = list(made.iter_batches(batch_size=100, batch_format="numpy"))
        assert indices(found) == indices(wanted)
        for name in ("image", "label"):
            rows = np.concatenate([batch[name] for batch in found])
            assert np.array_equal(rows, np.concatenate([batch[name] for batch in wanted]))

    def test_rows_are_counted_without_reading(self, data: inkstream.Dataset) -> None:
        view = View("train", classes=data.classes[:3])
        made = dataset(data, view, batch_size=50, blocks=3)
        source = made._logical_plan.dag.datasource
        counted = [task.metadata.num_rows for task in source.get_read_tasks(3)]
        assert sum(counted) == data.count(view)
        assert made.count() == data.count(view)
        assert len(indices(made.iter_batches())) == data.count(view)

    def test_a_store_is_read_where_a_task_runs(self, store: Path) -> None:
        data = inkstream.open(store).dataset()
        view = View("valid", classes=data.classes[:4])
        made = dataset(data, view, batch_size=20, image=8, blocks=4)
        assert sorted(indices(made.iter_batches())) == sorted(data[view][:].index.tolist())

    def test_splits_shuffles_and_tensors(self, data: inkstream.Dataset) -> None:
        made = dataset(data, "train", batch_size=100, image=Image(8, dtype="bfloat16"), blocks=4)
        whole = set(data["train"][:].index.tolist())
        first, second = made.streaming_split(2, equal=True)

        @ray.remote
        def read(part: Any) -> list[int]:
            found = part.iter_torch_batches(batch_size=64)
            return [i for batch in found for i in batch["index"].tolist()]

        halves = ray.get([read.remote(first), read.remote(second)])
        assert len(halves[0]) == len(halves[1]) == len(whole) // 2
        assert len({*halves[0], *halves[1]}) == len(whole) // 2 * 2
        shuffled = made.random_shuffle(seed=1)
        rows = list(shuffled.iter_batches(batch_size=200, batch_format="numpy"))
        assert set(indices(rows)) == whole
        by_index = data.fetch(rows[0]["index"], image=Image(8, dtype="bfloat16"))
        assert np.array_equal(rows[0]["image"], by_index.float32("image"))
        strokes = Strokes(40, format="stroke5")
        batch = next(iter(dataset(data, "valid", strokes=strokes, blocks=1).iter_batches()))
        again = data.fetch(batch["index"], strokes=strokes)
        assert np.array_equal(batch["strokes"], again.strokes)

    def test_ray_train_reads_it(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        pytest.importorskip("torch")
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer

        def train(config: dict[str, Any]) -> None:
            import torch

            model = torch.nn.Linear(64, 10)
            model = ray.train.torch.prepare_model(model)
            optimizer = torch.optim.SGD(model.parameters(), 0.1)
            rows = 0
            for batch in ray.train.get_dataset_shard("train").iter_torch_batches(batch_size=50):
                scores = model(batch["image"].float().flatten(1) / 255)
                loss = torch.nn.functional.cross_entropy(scores, batch["label"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rows += len(batch["index"])
            rank = ray.train.get_context().get_world_rank()
            (Path(config["where"]) / str(rank)).write_text(str(rows))

        trainer = TorchTrainer(
            train,
            train_loop_config={"where": str(tmp_path)},
            scaling_config=ScalingConfig(num_workers=2, use_gpu=False),
            run_config=RunConfig(storage_path=str(tmp_path / "runs")),
            datasets={"train": dataset(data, "train", batch_size=100, image=8, blocks=4)},
        )
        trainer.fit()
        rows = [int((tmp_path / str(rank)).read_text()) for rank in range(2)]
        assert sum(rows) >= len(data["train"]) - 1
        assert abs(rows[0] - rows[1]) <= 1

    def test_what_cannot_be_is_refused(self, data: inkstream.Dataset) -> None:
        for keywords, said in (
            ({"strokes": Strokes(9, ragged=True)}, "ragged"),
            ({"tail": "drop"}, "tail"),
            ({"epochs": 2}, "epochs"),
            ({"blocks": 0}, "blocks"),
            ({"bs": 3}, "batch_size"),
        ):
            with pytest.raises(inkstream.FixRequest, match=said):
                dataset(data, "train", **keywords)
        with pytest.raises(inkstream.FixRequest, match=r"give a dataset, such as client\.dataset"):
            dataset("drawings.ink")  # type: ignore[arg-type]


class TestIngest:
    SPLIT = "train=0.8,valid=0.2"

    def sources(self, binary: Path, where: Path) -> Path:
        folder = where / "sources"
        folder.mkdir()
        for seed in (1, 2):
            self.run(
                binary, "generate", "--drawings", 3000, "--seed", seed, "--classes", 5,
                "-o", folder / f"{seed}.ndjson",
            )  # fmt: skip
        return folder

    def run(self, binary: Path, *command: Any) -> None:
        done = subprocess.run([binary, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def test_shards_make_the_store_of_one_run(self, binary: Path, tmp_path: Path) -> None:
        folder = self.sources(binary, tmp_path)
        one = tmp_path / "one.ink"
        self.run(binary, "ingest", folder, "--store", one, "--split", self.SPLIT)
        done = ingest(folder, tmp_path / "many.ink", 3, split=self.SPLIT)
        wanted = inkstream.open(one).dataset()
        assert done["fingerprint"] == wanted.fingerprint
        assert done["drawings"] == len(wanted) == sum(shard["kept"] for shard in done["shards"])
        assert inkstream.open(done["store"]).dataset() == wanted
        assert sorted(path.name for path in tmp_path.glob("*.ink*")) == ["many.ink", "one.ink"]
        with pytest.raises(inkstream.FixRequest, match="there already"):
            ingest(folder, tmp_path / "many.ink", 3)

    def test_a_worker_that_is_killed_is_made_good(
        self, binary: Path, program: Path, tmp_path: Path
    ) -> None:
        folder = self.sources(binary, tmp_path)
        one = tmp_path / "one.ink"
        cut = {"split": self.SPLIT, "segment_drawings": 100}
        self.run(
            binary, "ingest", folder, "--store", one, "--split", self.SPLIT,
            "--segment-drawings", 100,
        )  # fmt: skip
        trouble = program.parent / "trouble"
        trouble.touch()
        done = ingest(folder, tmp_path / "many.ink", 3, **cut)
        assert (program.parent / "trouble.met").exists()
        assert not trouble.exists()
        assert done["fingerprint"] == inkstream.open(one).dataset().fingerprint
        # Some of it had been written before, and was not written again.
        assert done["shards"][1]["taken_over"] > 0

    def test_what_the_program_refuses_is_told(self, binary: Path, tmp_path: Path) -> None:
        folder = self.sources(binary, tmp_path)
        with pytest.raises(inkstream.FixRequest, match="--split has 'train=7'"):
            ingest(folder, tmp_path / "many.ink", 2, split="train=7")
        with pytest.raises(inkstream.FixRequest, match="split_by"):
            ingest(folder, tmp_path / "many.ink", 2, splits="x")
        with pytest.raises(inkstream.InkstreamError, match="missing"):
            ingest(tmp_path / "missing", tmp_path / "many.ink", 2)


def test_a_server_is_asked_from_every_node(server: Server, data: inkstream.Dataset) -> None:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    made = dataset(data, "train", batch_size=50, blocks=NODES)

    @ray.remote
    def read(task: Any) -> tuple[str, int]:
        rows = sum(table.num_rows for table in task())
        return ray.get_runtime_context().get_node_id(), rows

    nodes = [node["NodeID"] for node in ray.nodes()]
    assert len(nodes) == NODES
    tasks = made._logical_plan.dag.datasource.get_read_tasks(NODES)
    found = ray.get(
        [
            read.options(scheduling_strategy=NodeAffinitySchedulingStrategy(n, False)).remote(t)
            for n, t in zip(nodes, tasks, strict=True)
        ]
    )
    assert [node for node, _ in found] == nodes
    assert sum(rows for _, rows in found) == len(data["train"])
