"""PyTorch: the loader, the datasets and the sampler, against the real server."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import inkstream
import inkstream.torch
import numpy as np
import pytest
import torch
from inkstream import Image, View
from inkstream._library.memory import SparePieces
from inkstream.torch import BatchSampler, IterableDataset, Loader, MapDataset, TensorBatch, collate
from support.processes import Server
from torch.utils.data import DataLoader

IMAGE = Image(28)
BATCH = 100
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@pytest.fixture
def train(data: inkstream.Dataset) -> Iterator[Loader]:
    with inkstream.torch.loader(data, "train", batch_size=BATCH, image=IMAGE) as loader:
        yield loader


def of(batches: Any) -> list[list[int]]:
    return [batch["index"].tolist() for batch in batches]


def streamed(data: inkstream.Dataset, epochs: int = 1, **keywords: Any) -> list[list[int]]:
    keywords = {"batch_size": BATCH, "epochs": epochs, **keywords}
    return of(data.stream("train", **keywords))


class TestLoader:
    def test_it_gives_the_streams_batches_as_tensors(
        self, data: inkstream.Dataset, train: Loader
    ) -> None:
        stream = data.stream("train", batch_size=BATCH, image=IMAGE)
        count = 0
        for batch, wanted in zip(train, stream, strict=True):
            assert isinstance(batch, dict)
            assert set(batch) == set(wanted)
            for name, tensor in batch.items():
                assert isinstance(tensor, torch.Tensor)
                assert np.array_equal(tensor.numpy(), wanted[name])
            assert batch.cursor == wanted.cursor
            count += 1
        assert count == len(train) == len(stream)
        assert batch["image"].dtype == torch.uint8
        assert batch["label"].dtype == torch.int64
        assert batch["valid"].dtype == torch.bool

    def test_each_iter_is_the_next_epoch(self, data: inkstream.Dataset, train: Loader) -> None:
        first, second, third = of(train), of(train), of(train)
        assert first + second + third == streamed(data, epochs=3)
        assert first != second

    def test_a_broken_loop_goes_on_where_it_was_left(
        self, data: inkstream.Dataset, train: Loader
    ) -> None:
        wanted = streamed(data, epochs=2)
        assert of(islice(train, 4)) == wanted[:4]
        assert train.state_dict()["position"] == 4 * BATCH
        assert of(train) == wanted[4 : len(train)]
        assert of(train) == wanted[len(train) :]

    def test_nothing_depends_on_stop_iteration_being_read(
        self, data: inkstream.Dataset, train: Loader
    ) -> None:
        iterator = iter(train)
        first = [next(iterator)["index"].tolist() for _ in range(len(train))]
        assert train.state_dict()["epoch"] == 1
        assert first + of(train) == streamed(data, epochs=2)

    def test_len_is_a_full_epoch_wherever_it_stands(self, train: Loader) -> None:
        steps = len(train)
        of(islice(train, 5))
        assert len(train) == steps
        train.load_state_dict(train.state_dict())
        assert len(train) == steps

    @pytest.mark.parametrize("after", [0, 3, "all"])
    def test_a_state_resumes_in_the_middle_and_at_the_end(
        self, data: inkstream.Dataset, train: Loader, after: int | str
    ) -> None:
        after = len(train) if after == "all" else int(after)
        of(islice(train, after))
        state = json.loads(json.dumps(train.state_dict()))
        resumed = inkstream.torch.loader(data, "train", batch_size=BATCH, image=IMAGE)
        resumed.load_state_dict(state)
        assert resumed.state_dict() == state
        wanted = streamed(data, epochs=3)
        if after < len(train):
            assert of(resumed) == wanted[after : len(train)]
        assert of(resumed) == wanted[len(train) : 2 * len(train)]
        started = inkstream.torch.loader(data, "train", batch_size=BATCH, start=state)
        assert of(started) == (wanted[after : len(train)] or wanted[len(train) : 2 * len(train)])

    def test_set_epoch_moves_between_epochs_and_never_rewinds_a_half_read_one(
        self, data: inkstream.Dataset, train: Loader
    ) -> None:
        wanted = streamed(data, epochs=4)
        steps = len(train)
        train.set_epoch(0)
        of(islice(train, 3))
        train.set_epoch(0)
        train.set_epoch(2)
        assert of(train) == wanted[3:steps]
        train.set_epoch(1)  # where it stands
        train.set_epoch(3)
        assert of(train) == wanted[3 * steps :]

    def test_a_frameworks_epoch_counts_only_for_a_loader_that_has_not_begun(
        self, data: inkstream.Dataset, train: Loader
    ) -> None:
        wanted = streamed(data, epochs=3)
        steps = len(train)
        train.batch_sampler.sampler.set_epoch(
            1
        )  # what Lightning says after resuming at an epoch's end
        assert of(train) == wanted[steps : 2 * steps]
        train.batch_sampler.sampler.set_epoch(7)
        assert of(train) == wanted[2 * steps :]

    def test_an_evaluation_is_the_same_pass_each_time(self, data: inkstream.Dataset) -> None:
        loader = inkstream.torch.loader(data, "valid", batch_size=64, image=IMAGE, train=False)
        first = [{k: v.clone() for k, v in batch.items()} for batch in loader]
        of(islice(loader, 2))  # a sanity check that stops early
        loader.set_epoch(5)
        loader.load_state_dict({"epoch": 3, "position": 9})
        second = list(loader)
        assert len(first) == len(second) == len(loader)
        for one, two in zip(first, second, strict=True):
            assert all(torch.equal(one[name], two[name]) for name in one)
        seen = torch.cat([batch["index"][batch["valid"]] for batch in second])
        assert len(seen) == len(set(seen.tolist())) == len(data["valid"])

    def test_an_evaluation_takes_no_start(self, data: inkstream.Dataset) -> None:
        with pytest.raises(inkstream.FixRequest, match="start"):
            inkstream.torch.loader(data, "valid", train=False, start={"epoch": 1})

    def test_epochs_bound_a_training(self, data: inkstream.Dataset) -> None:
        loader = inkstream.torch.loader(data, "train", batch_size=BATCH, epochs=2)
        assert [len(of(loader)) for _ in range(4)] == [len(loader), len(loader), 0, 0]

    def test_a_view_and_every_keyword_of_stream(self, data: inkstream.Dataset) -> None:
        view = View("train", classes=data.classes[:2])
        keywords = {"seed": 3, "shuffle": "none", "tail": "pad", "columns": ["label", "key_id"]}
        loader = inkstream.torch.loader(data, view, batch_size=64, **keywords)
        stream = data.stream(view, batch_size=64, **keywords)
        for batch, wanted in zip(loader, stream, strict=True):
            assert batch["key_id"].tolist() == wanted.key_id.tolist()
            assert batch["valid"].tolist() == wanted.valid.tolist()
        with pytest.raises(inkstream.FixRequest, match="bathc"):
            inkstream.torch.loader(data, "train", bathc=3)

    @pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
    def test_a_device_can_be_named(self, data: inkstream.Dataset, device: Any) -> None:
        batch = next(iter(inkstream.torch.loader(data, batch_size=8, image=IMAGE, device=device)))
        assert batch["image"].device.type == "cpu"

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
    def test_batches_go_to_the_gpu(self, data: inkstream.Dataset) -> None:
        plain = list(inkstream.torch.loader(data, batch_size=BATCH, image=IMAGE, epochs=1))
        there = inkstream.torch.loader(data, batch_size=BATCH, image=IMAGE, device="cuda")
        for one, two in zip(plain, there, strict=True):
            assert two["image"].is_cuda
            assert torch.equal(one["image"], two["image"].cpu())
        assert next(iter(inkstream.torch.loader(data, batch_size=8)))["index"].is_pinned()

    def test_several_processes_without_torch_distributed_are_refused(
        self, data: inkstream.Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        for make in (inkstream.torch.loader, IterableDataset, BatchSampler):
            with pytest.raises(inkstream.FixRequest, match="init_process_group"):
                make(data, "train")
            make(data, "train", rank=1, world=2)
        with pytest.raises(inkstream.FixRequest, match="both or neither"):
            inkstream.torch.loader(data, "train", rank=1)

    def test_closing_leaves_no_thread(self, data: inkstream.Dataset) -> None:
        before = set(threading.enumerate())
        loader = inkstream.torch.loader(data, "train", batch_size=10, image=IMAGE)
        next(iter(loader))
        loader.close()
        assert not [t for t in set(threading.enumerate()) - before if t.name == "inkstream-read"]


class TestMemory:
    def test_a_tensor_that_is_held_never_changes(self, train: Loader) -> None:
        held, copies = [], []
        for _ in range(3):
            for i, batch in enumerate(train):
                # A view of a view, a NumPy array and a dict keep the memory too.
                kept = [batch["image"], batch["image"][3:7, 0], batch["label"].numpy(), batch][
                    i % 4
                ]
                held.append(kept["index"] if isinstance(kept, dict) else kept)
                copies.append(np.asarray(held[-1]).copy())
                del batch, kept
        gc.collect()
        for kept, copy in zip(held, copies, strict=True):
            assert np.array_equal(np.asarray(kept), copy)

    def test_tensors_can_be_written_and_memory_is_used_again(self, train: Loader) -> None:
        addresses = set()
        for _ in range(5):
            for batch in train:
                batch["image"].fill_(7)
                addresses.add(batch["image"].data_ptr())
        assert len(addresses) <= 16

    def test_memory_comes_back_only_with_its_last_view(self) -> None:
        spare = SparePieces(kept=4)

        def lend() -> torch.Tensor:
            pieces = spare.of(1000)
            return torch.from_numpy(pieces.lent(pieces.take(), 1000, own=True))

        first = lend()
        address, view = first.data_ptr(), first[16:26].view(torch.int16)
        del first
        other = lend()
        assert other.data_ptr() != address
        array = view.numpy()
        del view
        assert lend().data_ptr() != address
        del array
        again = {lent.data_ptr() for lent in [lend() for _ in range(3)]}
        assert address in again

    def test_lent_memory_is_aligned(self) -> None:
        for size in (1, 63, 64, 1000, 1 << 22):
            pieces = SparePieces(kept=4).of(size)
            assert pieces.lent(pieces.take(), size, own=True).ctypes.data % 64 == 0

    def test_what_is_saved_of_a_batch_is_what_it_shows(self, train: Loader) -> None:
        label = next(iter(train))["label"]
        assert label.untyped_storage().nbytes() == label.nbytes

    def test_a_batch_survives_copying_pickling_and_torchs_own_conversions(
        self, train: Loader
    ) -> None:
        import copy
        import pickle

        from torch.utils.data import default_convert

        batch = next(iter(train))
        for same in (
            copy.copy(batch),
            copy.deepcopy(batch),
            pickle.loads(pickle.dumps(batch)),
            default_convert(batch),
            collate(batch),
            collate([batch]),
        ):
            assert isinstance(same, TensorBatch)
            assert same.cursor == batch.cursor
            assert torch.equal(same["index"], batch["index"])


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("workers", [1, 3])
class TestWorkers:
    def test_the_order_is_that_of_the_stream(
        self, data: inkstream.Dataset, workers: int, start: str
    ) -> None:
        wanted = streamed(data, epochs=3)
        steps = len(wanted) // 3
        dataset = IterableDataset(data, "train", batch_size=BATCH, image=IMAGE)
        assert len(dataset) == steps
        loader = DataLoader(
            dataset, batch_size=None, num_workers=workers, multiprocessing_context=start
        )
        assert len(loader) == steps
        found = list(loader)
        assert of(found) == wanted[:steps]
        dataset.load_state_dict(found[4].cursor)
        assert of(loader) == wanted[5:steps]
        if start != "fork":  # each pass imports torch in every worker
            return
        assert of(loader) == wanted[steps : 2 * steps]
        dataset.load_state_dict(found[-1].cursor)
        assert of(loader) == wanted[steps : 2 * steps]
        dataset.set_epoch(2)
        assert of(loader) == wanted[2 * steps :]

    def test_a_map_dataset_follows_the_sampler(
        self, data: inkstream.Dataset, workers: int, start: str
    ) -> None:
        wanted = streamed(data, epochs=2)
        loader = DataLoader(
            MapDataset(data, "train", image=IMAGE),
            batch_sampler=BatchSampler(data, "train", batch_size=BATCH),
            collate_fn=collate,
            num_workers=workers,
            multiprocessing_context=start,
        )
        assert len(loader) == len(wanted) // 2
        assert of(loader) == wanted[: len(loader)]
        if start == "fork":
            assert of(loader) == wanted[len(loader) :]


class TestDatasets:
    def test_without_workers_the_order_is_the_same(self, data: inkstream.Dataset) -> None:
        wanted = streamed(data, epochs=2)
        steps = len(wanted) // 2
        dataset = IterableDataset(data, "train", batch_size=BATCH)
        loader = DataLoader(dataset, batch_size=None)
        assert of(loader) + of(loader) == wanted
        assert dataset.state_dict()["epoch"] == 2
        dataset.set_epoch(1)
        assert of(loader) == wanted[steps:]

    def test_workers_that_stay_go_through_the_epochs(self, data: inkstream.Dataset) -> None:
        loader = DataLoader(
            IterableDataset(data, "train", batch_size=BATCH),
            batch_size=None,
            num_workers=2,
            persistent_workers=True,
        )
        assert of(loader) + of(loader) + of(loader) == streamed(data, epochs=3)

    def test_seeding_torch_anew_does_not_repeat_an_epoch(self, data: inkstream.Dataset) -> None:
        loader = DataLoader(
            IterableDataset(data, "train", batch_size=BATCH), batch_size=None, num_workers=2
        )
        found = []
        for _ in range(2):
            torch.manual_seed(0)
            found += of(loader)
        assert found == streamed(data, epochs=2)

    def test_forks_beside_a_running_loader_disturb_neither(
        self, data: inkstream.Dataset, train: Loader
    ) -> None:
        wanted = streamed(data)
        running: list[list[int]] = []
        done = threading.Event()

        def run() -> None:
            while not done.is_set():
                running.extend(of(train))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            for _ in range(8):
                dataset = IterableDataset(data, "train", batch_size=BATCH)
                loader = DataLoader(
                    dataset, batch_size=None, num_workers=2, multiprocessing_context="fork"
                )
                assert of(loader) == wanted
        finally:
            done.set()
            thread.join()
        epochs = len(running) // len(wanted)
        assert running == streamed(data, epochs=epochs)

    def test_a_cursor_near_the_end_goes_on_with_the_next_epoch(
        self, data: inkstream.Dataset
    ) -> None:
        state = data.stream("train", batch_size=BATCH).state_dict()
        state["position"] = len(data["train"]) - BATCH + 1
        dataset = IterableDataset(data, "train", batch_size=BATCH)
        dataset.load_state_dict(state)
        wanted = streamed(data, epochs=2)
        assert of(dataset) == wanted[len(wanted) // 2 :]

    @pytest.mark.parametrize("tail", ["drop", "partial", "pad"])
    @pytest.mark.parametrize("shuffle", ["full", "none", "window:100", "window:5000"])
    def test_the_sampler_gives_the_streams_batches_and_cursors(
        self, data: inkstream.Dataset, tail: str, shuffle: str
    ) -> None:
        keywords: dict[str, Any] = {
            "batch_size": 90, "seed": 6, "tail": tail, "shuffle": shuffle, "rank": 1, "world": 3,
        }  # fmt: skip
        sampler = BatchSampler(data, "train", **keywords)
        found = DataLoader(MapDataset(data, "train"), batch_sampler=sampler, collate_fn=collate)
        stream = data.stream("train", epochs=2, **keywords)
        batches = list(found) + list(found)
        assert len(batches) == 2 * len(sampler) == len(stream)
        for batch, wanted in zip(batches, stream, strict=True):
            assert batch["index"].tolist() == wanted.index.tolist()
            assert batch["valid"].tolist() == wanted.valid.tolist()
            assert batch.cursor == wanted.cursor

    def test_the_sampler_resumes_at_a_batchs_cursor(self, data: inkstream.Dataset) -> None:
        sampler = BatchSampler(data, "train", batch_size=BATCH)
        loader = DataLoader(MapDataset(data, "train"), batch_sampler=sampler, collate_fn=collate)
        batches = list(loader)
        sampler.load_state_dict(batches[3].cursor)
        sampler.set_epoch(0)  # what Lightning does after a resume
        assert of(loader) == of(batches[4:])
        sampler.set_epoch(0)
        assert of(loader) == of(batches)

    @pytest.mark.parametrize("shuffle", ["windows:4", "window:", "window:0", "window:-1", "half"])
    def test_a_shuffle_that_is_none_is_refused(self, shuffle: str) -> None:
        with pytest.raises(inkstream.FixRequest, match="window:N"):
            BatchSampler(100, shuffle=shuffle)

    def test_the_sampler_needs_no_memory_for_its_size(self) -> None:
        import tracemalloc

        tracemalloc.start()
        sampler = BatchSampler(50_000_000, batch_size=256)
        for _ in islice(sampler, 50):
            pass
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
        tracemalloc.stop()
        assert len(sampler) == 50_000_000 // 256

    def test_map_dataset_gives_single_drawings_that_collate_joins(
        self, data: inkstream.Dataset
    ) -> None:
        dataset = MapDataset(data, "train", image=IMAGE)
        assert len(dataset) == len(data["train"])
        one = dataset[17]
        assert one["image"].shape == (1, 28, 28)
        assert one["label"].ndim == 0
        joined = collate([dataset[5], dataset[9], dataset[5]])
        ready = collate(dataset.__getitems__([5, 9, 5]))
        assert all(torch.equal(joined[name], ready[name]) for name in ready)


def test_a_loader_moves_on_when_its_server_dies(
    binary: Any, store: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    homes = [tmp_path_factory.mktemp("replica") for _ in range(2)]
    with Server(binary, store, homes[0]) as one, Server(binary, store, homes[1]) as two:
        data = inkstream.connect([one.tcp, two.tcp]).dataset()
        wanted = streamed(data, epochs=3)
        loader = inkstream.torch.loader(data, "train", batch_size=BATCH, image=IMAGE)
        found = of(loader)
        used = loader.stats()["endpoint"]
        (one if one.tcp == used else two).kill()
        assert found + of(loader) + of(loader) == wanted
