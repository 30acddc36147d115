"""What an interactive session and a wrong call get from `inkstream.torch`."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable

import inkstream
import numpy as np
import pytest
import torch
from inkstream import FixRequest, Image, NotFound, View
from inkstream.torch import (
    BatchSampler,
    IterableDataset,
    MapDataset,
    TensorBatch,
    collate,
    gather,
    loader,
)
from support.processes import Server
from torch.utils.data import DataLoader

Make = Callable[[inkstream.Dataset], object]

WRONG: list[tuple[Make, str]] = [
    (lambda d: loader(d, "train", batchsize=3), r"loader\(\) .*nearest is 'batch_size'"),
    (lambda d: loader(d, "train", bs=3), r"loader\(\) .*here that is batch_size="),
    (lambda d: loader(d, "train", drop_last=True), "here that is tail="),
    (lambda d: loader(d, "train", num_workers=4), "no worker processes are needed"),
    (lambda d: loader(d, "train", world_size=2), "here that is world="),
    (lambda d: loader(d, "train", pin_memory=True), "page-locks its memory"),
    (lambda d: loader(d, "train", sampler=[1]), "here that is sampling="),
    (lambda d: loader(d, "train", shuffle="ful"), "the nearest is 'full'"),
    (lambda d: loader(d, "train", seed=None), "seed = None"),
    (lambda d: loader(d, "train", image=Image), "image"),
    (lambda d: loader(d, "train", 3), r"loader\(\): only data, view may go without"),
    (lambda d: loader(), r"loader\(\): missing a required argument: 'data'"),
    (lambda d: loader(d, "train", augment=inkstream.Augment(flip_x=1)), "augment changes how"),
    (lambda d: IterableDataset(d, "train", bs=3), r"IterableDataset\(\) .*batch_size="),
    (lambda d: IterableDataset(d, "train", epochs=3), "each iter.. is one epoch"),
    (lambda d: IterableDataset(d, "train", step_stride=2), "workers take turns"),
    (lambda d: IterableDataset(d, "train", num_workers=2), "leave it out"),
    (lambda d: MapDataset(d, "train", batch_size=3), r"MapDataset\(\) .*that is for stream"),
    (lambda d: MapDataset(d, "train", tail="drop"), r"MapDataset\(\) .*that is for stream"),
    (lambda d: BatchSampler(d, drop_last=True), r"BatchSampler\(\) .*here that is tail="),
    (lambda d: BatchSampler(d, generator=torch.Generator()), "here that is seed="),
    (lambda d: BatchSampler(d, num_replicas=2), "here that is world="),
    (lambda d: BatchSampler(d, batch_size=0), "batch_size = 0"),
    (lambda d: BatchSampler(100, batch_size="many"), "batch_size = 'many'"),
    (lambda d: BatchSampler(100, seed=None), "seed = None"),
    (lambda d: BatchSampler(MapDataset(d, "train"), "valid"), "the source's own is View"),
    (lambda d: BatchSampler([1, 2, 3]), "give a MapDataset, a dataset or the number"),
    (lambda d: BatchSampler(d, rank=1), "give both or neither"),
    (lambda d: BatchSampler(100, rank=2, world=2), "rank = 2"),
    (lambda d: BatchSampler(100, "valid"), "view = 'valid' has no effect"),
    (lambda d: BatchSampler(True), "source = True: give a MapDataset"),
    (lambda d: loader(d.client), r"is a client: give one of its datasets, client.dataset\(\)"),
    (lambda d: loader(d["train"]), "is a view already: give its dataset"),
    (lambda d: loader("train"), "data = 'train': give a dataset"),
    (lambda d: MapDataset(d["train"]), "is a view already: give its dataset"),
    (lambda d: IterableDataset(MapDataset(d)), "is a view already: give its dataset"),
    (lambda d: loader(d, train="no"), "train = 'no' is not True or False"),
    (lambda d: loader(d, train=None), "train = None is not True or False"),
    (lambda d: loader(d, device="gpu"), "device = 'gpu': Expected one of cpu"),
    (lambda d: next(iter(DataLoader(loader(d), batch_size=None))), "no DataLoader around it"),
    (lambda d: next(iter(DataLoader(d.stream(), batch_size=None))), "has what a DataLoader takes"),
    (lambda d: loader(d).load_state_dict({}), "says no place"),
    (lambda d: IterableDataset(d, start={}), "says no place"),
    (lambda d: BatchSampler(d).load_state_dict({}), "says no place"),
    (lambda d: loader(d, start=MapDataset(d)[[1, 2]].cursor), "says no place"),
    (lambda d: collate([]), "collate joins drawings as a MapDataset gives them"),
    (lambda d: collate([1]), "collate joins drawings"),
    (lambda d: collate([{"a": 1}]), "collate joins drawings"),
    (lambda d: gather([1], torch.arange(1)), r"preds = \[1\]: give a tensor"),
    (lambda d: gather(torch.ones(1), np.arange(1)), "index = array.*: give a tensor"),
    (lambda d: gather(torch.ones(1), torch.arange(1), total="1"), "total = '1' is not a whole"),
    (lambda d: MapDataset(d)[[1, 2]].row(2), r"row = 2 is out of range: it must be in -2\.\.1"),
    (lambda d: MapDataset(d)[[1, 2]].row("a"), "row = 'a' is not a whole number"),
    (lambda d: loader(d).set_epoch(-1), "epoch = -1"),
    (lambda d: IterableDataset(d).set_epoch(-1), "epoch = -1"),
    (lambda d: BatchSampler(1000).set_epoch("one"), "epoch = 'one'"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_a_wrong_call_says_what_to_do(data: inkstream.Dataset, case: int) -> None:
    make, said = WRONG[case]
    with pytest.raises(FixRequest, match=said):
        make(data)


def test_what_a_sampler_samples_from(data: inkstream.Dataset) -> None:
    view = View("train", classes=data.classes[:4])
    mapped = MapDataset(data, view)
    wanted = list(BatchSampler(data, view, batch_size=10))
    size = len(mapped)
    for same in (
        BatchSampler(mapped, batch_size=10),
        BatchSampler(mapped, view, batch_size=10),
        BatchSampler(data.split(view), batch_size=10),
        BatchSampler(size, batch_size=10, shuffle=True),
        BatchSampler(np.int64(size), batch_size=np.int32(10)),  # type: ignore[arg-type]
    ):
        assert list(same) == wanted
        assert same.batch_size == 10
    in_order = BatchSampler(size, batch_size=10, shuffle=False)
    assert next(iter(in_order)) == list(range(10))


def test_labels_are_words_by_every_way(data: inkstream.Dataset) -> None:
    words = [data.classes[7], data.classes[2]]
    for view in (View("train", classes=words), View("train")):
        with loader(data, view, batch_size=20) as batches:
            batch = next(iter(batches))
            mapped = MapDataset(data, view)
            iterable = IterableDataset(data, view, batch_size=20)
            workers = DataLoader(iterable, batch_size=None, num_workers=1)
            sources = [batches, mapped, iterable, batches.dataset, batch, mapped[3]]
            sources += [next(iter(DataLoader(mapped, batch_size=4))), next(iter(workers))]
            for source in sources:
                assert list(source.classes) == list(data.stream(view).classes)
            for source in sources[:4]:
                assert source.class_to_idx == data.stream(view).class_to_idx
            named = [data.inspect(i).splitlines()[0] for i in batch["index"].tolist()]
            assert [line.partition(": ")[2] for line in named] == batch.words()
            assert batch.words() == [batches.classes[i] for i in batch["label"]]


def test_a_batch_of_tensors_is_read_as_one_of_arrays(data: inkstream.Dataset) -> None:
    batch = next(iter(loader(data, "train", batch_size=4)))
    assert batch.label is batch["label"]
    with pytest.raises(inkstream.NotFound, match=r"no tensor slice.* batch.row\(i\) is one"):
        batch[:2]  # type: ignore[index]
    with pytest.raises(AttributeError, match=r"no tensor 'image' .* give image=Image\(28\)"):
        _ = batch.image
    with pytest.raises(TypeError, match="a TensorBatch is several arrays"):
        np.asarray(batch)
    again = pickle.loads(pickle.dumps(batch))
    assert again.cursor == batch.cursor and torch.equal(again.label, batch.label)


def test_words_come_by_label_or_by_word(data: inkstream.Dataset) -> None:
    with loader(data, "train", batch_size=9, columns=["word"]) as by_word:
        batch = next(iter(by_word))
    wanted = data.fetch(batch["index"].tolist()).words()
    assert batch.words() == wanted
    assert [batch.row(i).words() for i in range(9)] == [[word] for word in wanted]
    with pytest.raises(NotFound, match=r'columns=\["label"\]'):
        next(iter(loader(data, "train", batch_size=9, columns=[]))).words()


def test_reprs_tell_what_it_is(data: inkstream.Dataset) -> None:
    train = loader(data, "train", batch_size=50, image=28)
    batch = next(iter(train))
    assert repr(train) == (
        "Loader('quickdraw', View('train'), batch_size=50, image=Image(28), rank 0 of 1, "
        "epoch 0, position 50)"
    )
    assert repr(loader(data, "valid", train=False)).endswith("rank 0 of 1, train=False)")
    assert repr(batch).startswith("TensorBatch(")
    assert "image uint8[50, 1, 28, 28], " in repr(batch)
    assert repr(batch).endswith("; epoch 0, step 0)")
    assert repr(MapDataset(data, "valid")) == "MapDataset('quickdraw', View('valid'), image=None)"
    assert repr(IterableDataset(data, batch_size=9)) == (
        "IterableDataset('quickdraw', View('train'), batch_size=9, image=None, rank 0 of 1)"
    )
    assert repr(BatchSampler(100, batch_size=9, rank=1, world=2)) == (
        "BatchSampler(100 drawings, batch_size=9, seed=0, rank 1 of 2, epoch 0)"
    )
    assert batch._ipython_key_completions_() == list(batch)


def test_what_completion_offers(data: inkstream.Dataset) -> None:
    def offered(of: object) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    assert offered(loader(data)) == {
        *("batch_sampler", "batch_size", "class_to_idx", "classes", "close", "data", "dataset"),
        *("device", "epoch", "load_state_dict", "num_workers", "peek", "prefetch_factor"),
        *("sampler", "set_epoch", "state_dict", "stats", "train"),
    }
    assert offered(BatchSampler(100, batch_size=10)) == {
        *("batch_size", "load_state_dict", "seed", "set_epoch", "state_dict"),
    }


def test_a_live_loader_is_not_pickled_and_says_which(data: inkstream.Dataset) -> None:
    with pytest.raises(TypeError, match=r"a Loader cannot be pickled.*state_dict\(\)"):
        pickle.dumps(loader(data, "train"))


def test_a_batch_keeps_its_place_where_it_goes(data: inkstream.Dataset) -> None:
    batch = next(iter(loader(data, "train", batch_size=10, image=8)))
    moved = [batch.to("cpu"), batch.to(torch.device("cpu"), non_blocking=True)]
    lightning = pytest.importorskip("lightning")
    from accelerate.utils import send_to_device

    moved.append(lightning.fabric.utilities.move_data_to_device(batch, torch.device("cpu")))
    moved.append(send_to_device(batch, torch.device("cpu")))
    for there in moved:
        assert isinstance(there, TensorBatch)
        assert there.cursor == batch.cursor
        assert there.words() == batch.words()
        assert all(torch.equal(there[name], batch[name]) for name in batch)
    one = collate(MapDataset(data, "train", image=8).__getitems__([4])).row(0)
    with pytest.raises(FixRequest, match="one drawing"):
        one.row(0)


def test_without_torch_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['torch'] = None; import inkstream; inkstream.torch"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 1
    last = found.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: inkstream.torch needs torch")
    assert "pip install 'inkstream[torch]'" in last


FORKED = """
import sys, inkstream, inkstream.torch as T
from torch.utils.data import DataLoader
data = inkstream.connect(sys.argv[1]).dataset()
next(data.stream("train", batch_size=10))
loader = DataLoader(
    T.IterableDataset(data, "train", batch_size=100, image=8), batch_size=None, num_workers=2
)
for _ in range(3):
    list(loader)
"""


def test_forked_workers_of_a_parent_that_streamed_print_nothing(server: Server) -> None:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("GRPC_")}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, server.tcp],
        capture_output=True,
        text=True,
        env=ours,
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
