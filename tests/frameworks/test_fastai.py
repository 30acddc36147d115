"""fastai's Learner on a stream: what it does with DataLoaders of its own, it does here."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inkstream
import numpy as np
import pytest
import torch
from inkstream import Augment, Image, Strokes, View
from torch import nn

pytest.importorskip("fastai")
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from fastai.callback.core import CancelFitException
from fastai.callback.mixup import MixUp
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.interpret import ClassificationInterpretation
from fastai.learner import Callback, Learner, load_learner
from fastai.metrics import accuracy
from fastai.torch_core import TensorCategory, TensorImage, TensorImageBW
from fastai.vision.all import Normalize
from inkstream.fastai import CheckpointCallback, DrawingDataLoaders, dataloaders
from support.processes import Server
from support.ranks import run_ranks

SIDE = 16
BATCH = 64


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    yield
    plt.close("all")


def made(data: inkstream.Dataset, path: Path, **keywords: Any) -> DrawingDataLoaders:
    keywords = {"image": Image(SIDE), "batch_size": BATCH, "device": "cpu", **keywords}
    return dataloaders(data, path=path, **keywords)


def learner(dls: DrawingDataLoaders, *callbacks: Any, drop: float = 0.1) -> Any:
    torch.manual_seed(7)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(SIDE * SIDE, 16), nn.ReLU(), nn.Dropout(drop), nn.Linear(16, dls.c)
    )
    made = Learner(dls, model, metrics=accuracy, cbs=list(callbacks))
    made.remove_cbs([cb for cb in made.cbs if cb.name == "progress"])
    made.logger = lambda *_: None
    return made


class Seen(Callback):
    """The labels of training, batch by batch."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    def before_batch(self) -> None:
        if self.learn.training:
            self.batches.append(self.learn.yb[0].tolist())


def of_stream(data: inkstream.Dataset, epochs: int) -> list[list[int]]:
    stream = data.stream("train", batch_size=BATCH, epochs=epochs)
    return [batch.label.tolist() for batch in stream]


def test_floats_of_batches_that_are_held_stay_what_was_drawn(
    data: inkstream.Dataset, tmp_path: Path
) -> None:
    dls = made(data, tmp_path, image=Image(128))
    drawn = data.stream("train", batch_size=BATCH, image=Image(128))
    held = []
    for (image, _), batch in zip(dls.train, drawn, strict=False):
        held.append((image, torch.tensor(batch.image).float().div_(255)))
        if len(held) > 4:
            held.pop(0)
    assert held
    for image, floats in held:
        assert torch.equal(torch.Tensor(image), floats)
    assert pickle.loads(pickle.dumps(dls.train.dataset.sample)) == dls.train.dataset.sample


class TestLearner:
    def test_it_trains_and_predicts(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        dls = made(data, tmp_path)
        seen = Seen()
        learn = learner(dls, seen)
        learn.fit_one_cycle(2, 1e-2)
        assert seen.batches == of_stream(data, 2)
        assert learn.validate()[1] > 0.9
        for idx, split in enumerate(("train", "valid")):
            predicted, labels = learn.get_preds(ds_idx=idx)
            assert labels.tolist() == data[split][:].label.tolist()
            assert (predicted.argmax(1) == labels).float().mean() > 0.9
        shuffled, labels = learn.get_preds(dl=dls.valid.new(shuffle=True))
        assert labels.tolist() == data["valid"][:].label.tolist()
        assert torch.allclose(shuffled, predicted, atol=1e-5)

    def test_a_sought_rate_leaves_training_where_it_stood(
        self, data: inkstream.Dataset, tmp_path: Path
    ) -> None:
        dls = made(data, tmp_path)
        seen = Seen()
        learn = learner(dls, seen)
        learn.fit(1, cbs=[StopsAt(3)])
        stood = dls.state_dict()
        assert stood["position"] == 3 * BATCH
        learn.lr_find(num_it=30, show_plot=False)
        assert dls.state_dict() == stood
        seen.batches.clear()
        learn.fit(1)
        assert seen.batches == of_stream(data, 1)[3:]

    def test_mixup_and_test_time_augmentation(
        self, data: inkstream.Dataset, tmp_path: Path
    ) -> None:
        dls = made(data, tmp_path, augment=Augment(rotation=20))
        learn = learner(dls, MixUp())
        learn.fit(1, 1e-2)
        passes: list[torch.Tensor] = []
        learn.add_cb(Kept(passes))
        predicted, labels = learn.tta(n=2)
        assert labels.tolist() == data["valid"][:].label.tolist()
        assert len(predicted) == len(labels)
        plain = data["valid"][:BATCH]
        drawn = [
            data.split("valid", image=Image(SIDE), augment=Augment(rotation=20), epoch=epoch)
            for epoch in range(2)
        ]
        wanted = [split[list(range(BATCH))].image for split in drawn]
        wanted.append(data.split("valid", image=Image(SIDE))[list(range(BATCH))].image)
        assert len(plain.index) == BATCH
        for found, pixels in zip(passes, wanted, strict=True):
            assert np.array_equal((found * 255).round().byte().numpy(), pixels)

    def test_interpretation(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        learn = learner(made(data, tmp_path), drop=0)
        learn.fit(1, 1e-2)
        found = ClassificationInterpretation.from_learner(learn)
        counts = found.confusion_matrix()
        assert counts.sum(1).tolist() == np.bincount(data["valid"][:].label).tolist()
        losses, ranks, items = found.top_losses(3, items=True)
        assert list(items) == data["valid"][ranks.tolist()].index.tolist()
        _, _, labels, _, again = found[ranks]
        assert labels.tolist() == data["valid"][ranks.tolist()].label.tolist()
        assert torch.equal(losses, again)
        found.plot_top_losses(4)
        found.plot_confusion_matrix()
        found.most_confused()
        found.show_results([0, 1])

    def test_what_is_shown_has_its_word(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        dls = made(data, tmp_path)
        stood = dls.state_dict()
        dls.show_batch(max_n=4)
        words = [data.classes[i] for i in dls.one_batch()[1][:4]]
        assert [axes.get_title() for axes in plt.gcf().axes] == words
        assert dls.state_dict() == stood
        dls.valid.show_batch(max_n=9)
        assert len({axes.get_title() for axes in plt.gcf().axes}) > 1  # not the store's order
        learner(dls).show_results(max_n=4)
        assert all(axes.get_title() for axes in plt.gcf().axes)

    def test_a_fastai_transform_runs_on_batches(
        self, data: inkstream.Dataset, tmp_path: Path
    ) -> None:
        half = Normalize.from_stats([0.5], [0.5], cuda=False)
        plain = made(data, tmp_path).one_batch()[0]
        dls = made(data, tmp_path, batch_tfms=half)
        assert torch.allclose(dls.one_batch()[0], plain * 2 - 1)
        dls.show_batch(max_n=1)

    def test_it_is_exported_without_data_and_loaded(
        self, data: inkstream.Dataset, server: Server, tmp_path: Path
    ) -> None:
        learn = learner(made(data, tmp_path), drop=0)
        learn.fit(1, 1e-2)
        wanted, _ = learn.get_preds()
        learn.export()
        learn.get_preds()  # goes on afterwards
        exported = tmp_path / "export.pkl"
        assert server.tcp.encode() not in exported.read_bytes()
        loaded = load_learner(exported)
        found, _ = loaded.get_preds(dl=loaded.dls.test_dl(data["valid"]))
        assert torch.allclose(found, wanted)
        drawn = data.split("valid", image=Image(SIDE))[5]
        word, label, scores = loaded.predict(torch.as_tensor(np.array(drawn.image)))
        assert torch.allclose(scores, wanted[5], atol=1e-6)
        assert word == data.classes[label]
        assert learn.predict(int(drawn.index))[0] == word
        with pytest.raises(inkstream.FixRequest, match="no data of its own"):
            loaded.dls.test_dl("valid")


def test_a_learner_on_other_data_is_left_alone(data: inkstream.Dataset, tmp_path: Path) -> None:
    made(data, tmp_path)  # from now on Learners have our callback
    pairs = [(torch.zeros(4), torch.tensor(0))] * 8
    others = DataLoaders(DataLoader(pairs, bs=4), DataLoader(pairs, bs=4), path=tmp_path)
    learn = Learner(others, nn.Linear(4, 2), loss_func=nn.CrossEntropyLoss())
    assert "stream" not in [cb.name for cb in learn.cbs]
    with learn.no_logging(), learn.no_mbar():
        learn.fit(1)
    learn.lr_find(num_it=8, show_plot=False, suggest_funcs=None)


class StopsAt(Callback):
    """As a crash would, but that the process lives to tell."""

    order = 80

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def after_batch(self) -> None:
        if self.learn.training and self.learn.train_iter == self.steps:
            raise CancelFitException


class Kept(Callback):
    """The first input of each evaluation."""

    def __init__(self, kept: list[torch.Tensor]) -> None:
        super().__init__()
        self.kept = kept

    def before_batch(self) -> None:
        if not self.learn.training and self.learn.iter == 0:
            self.kept.append(self.learn.xb[0].as_subclass(torch.Tensor).clone())


class TestCheckpoint:
    STEPS = 24  # an epoch's

    def weights(self, learn: Any) -> list[Any]:
        return [p.tolist() for p in learn.model.parameters()]

    @pytest.mark.parametrize("stop", [5, 24, 30, 47], ids=lambda at: f"after {at} batches")
    def test_a_fit_goes_on_as_if_nothing_had_been(
        self, data: inkstream.Dataset, tmp_path: Path, stop: int
    ) -> None:
        whole = learner(made(data, tmp_path))
        assert len(whole.dls.train) == self.STEPS
        whole.fit_one_cycle(2, 1e-2)
        file = tmp_path / "run.ckpt"
        cut = learner(made(data, tmp_path), StopsAt(stop))
        cut.fit_one_cycle(2, 1e-2, cbs=CheckpointCallback(file, every=stop))
        seen = Seen()
        again = learner(made(data, tmp_path), seen)
        torch.manual_seed(99)
        again.fit_one_cycle(2, 1e-2, cbs=CheckpointCallback(file, every=100))
        assert seen.batches == of_stream(data, 2)[stop:]
        assert self.weights(again) == self.weights(whole)
        assert again.recorder.lrs == whole.recorder.lrs
        assert again.recorder.losses == whole.recorder.losses
        last = [again.recorder.values[-1], whole.recorder.values[-1]]
        assert last[0] == last[1]

    def test_one_that_is_over_says_so(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        file = tmp_path / "run.ckpt"
        learn = learner(made(data, tmp_path))
        learn.fit(1, cbs=CheckpointCallback(file))
        seen = Seen()
        again = learner(made(data, tmp_path), seen)
        with pytest.warns(UserWarning, match="is over"):
            again.fit(1, cbs=CheckpointCallback(file))
        assert seen.batches == []
        assert self.weights(again) == self.weights(learn)
        with pytest.raises(inkstream.PlanMismatch, match="n_epoch = 1"):
            learner(made(data, tmp_path)).fit(2, cbs=CheckpointCallback(file))


class TestSets:
    def test_train_and_valid_change_places(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        augment = Augment(rotation=30)
        dls = made(data, tmp_path, augment=augment, seed=3)
        fixed = torch.cat([x for x, _ in dls.fix])
        plain = data.split("train", image=Image(SIDE))[:].image
        assert np.array_equal((fixed * 255).round().byte().numpy(), plain)
        stream = data.stream(
            "valid", batch_size=BATCH, image=Image(SIDE), augment=augment, seed=3, epochs=2
        )
        for _ in range(2):
            for pixels, labels in dls.aux:
                wanted = next(stream)
                assert np.array_equal((pixels * 255).round().byte().numpy(), wanted.image)
                assert labels.tolist() == wanted.label.tolist()

    def test_keys_and_items(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        dls = made(data, tmp_path)
        keys = data.split("valid", columns=["key_id"])[:].key_id.tolist()
        assert dls.valid.get_index([0, 7]) == [keys[0], keys[7]]
        assert dls.valid.get_index(7) == keys[7]
        assert dls.get_index(0) == data.split("train", columns=["key_id"])[0].key_id
        pixels, label = dls.valid_ds[7]
        assert isinstance(pixels, TensorImageBW)
        assert isinstance(label, TensorCategory)
        assert label == data["valid"][7].label
        chosen = dls.valid.items[[3, 1]]
        labels = torch.cat([y for _, y in dls.test_dl(chosen, with_labels=True)])
        assert labels.tolist() == data["valid"][[3, 1]].label.tolist()
        few = dls.test_dl(chosen, with_labels=True).dataset
        assert [int(label) for _, label in few] == labels.tolist()
        with pytest.raises(IndexError):
            dls.valid.items[len(dls.valid_ds)]

    def test_a_split_has_the_classes_of_training(
        self, data: inkstream.Dataset, tmp_path: Path
    ) -> None:
        words = [data.classes[4], data.classes[1]]
        dls = made(data, tmp_path, train=View("train", classes=words), test="valid")
        assert list(dls.vocab) == words
        assert dls.c == 2
        wanted = data[View("valid", classes=words)][:].label.tolist()
        for one in (dls.valid, dls.test):
            assert torch.cat([y for _, y in one]).tolist() == wanted
        with pytest.raises(inkstream.PlanMismatch, match=words[0]):
            made(data, tmp_path, train=View("train", classes=words), valid=View("valid"))
        with pytest.raises(inkstream.PlanMismatch, match="test_dl"):
            dls.test_dl(View("valid"), with_labels=True)

    def test_a_test_without_labels_has_none(self, binary: Path, tmp_path: Path) -> None:
        with Server(binary, half_labelled(binary, tmp_path), tmp_path) as server:
            data = inkstream.connect(server.tcp).dataset()
            dls = made(data, tmp_path, test="test")
            assert [len(batch) for batch in dls.test] == [1]
            assert len(dls.test.dataset) == 20
            learn = learner(dls)
            scores, labels = learn.get_preds(ds_idx=2)
            assert len(scores) == 20
            assert not labels
            assert learn.predict(int(dls.test.items[0]))[0] in data.classes

    def test_several_targets(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        target = ["label", "countrycode", "recognized", "timestamp"]
        dls = made(data, tmp_path, target=target, image=Image(SIDE, channels=["order", "ink"]))
        pixels, *targets = dls.one_batch()
        assert isinstance(pixels, TensorImage)
        wanted = next(data.stream("train", batch_size=BATCH, columns=target))
        assert [t.tolist() for t in targets[:3]] == [wanted[c].tolist() for c in target[:3]]
        assert torch.allclose(targets[3], torch.tensor(wanted.timestamp).float())
        assert list(dls.vocab[1]) == list(wanted.vocabulary["countrycode"])
        assert list(dls.vocab[2]) == [False, True]
        assert dls.c == [10, len(dls.vocab[1]), 2, 1]
        dls.show_batch(max_n=2)

        class Heads(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.heads = nn.ModuleList(nn.Linear(2 * SIDE * SIDE, n) for n in dls.c[:3])

            def forward(self, x: Any) -> Any:
                return tuple(head(x.flatten(1)) for head in self.heads)

        def loss(scores: Any, *targets: Any, **_: Any) -> Any:
            return sum(
                nn.functional.cross_entropy(s, t) for s, t in zip(scores, targets[:3], strict=True)
            )

        learn = Learner(dls, Heads(), loss_func=loss)
        with learn.no_logging(), learn.no_mbar():
            learn.fit(1)
        scores, labels = learn.get_preds()
        assert [len(s) for s in scores] == [len(dls.valid_ds)] * 3
        assert labels[0].tolist() == data["valid"][:].label.tolist()

    @pytest.mark.parametrize("form", ["stroke5", "stroke3", "points"])
    def test_strokes_are_items(self, data: inkstream.Dataset, tmp_path: Path, form: Any) -> None:
        strokes = Strokes(40, format=form)
        dls = made(data, tmp_path, image=None, strokes=strokes, inputs=["strokes", "length"])
        wanted = next(data.stream("train", batch_size=BATCH, strokes=strokes))
        rows, lengths, labels = dls.one_batch()
        assert dls.n_inp == 2
        assert np.array_equal(rows, wanted.strokes)
        assert lengths.tolist() == wanted.length.tolist()
        assert labels.tolist() == wanted.label.tolist()
        only = made(data, tmp_path, image=None, strokes=strokes)
        only.show_batch(max_n=4)
        drawn = [[line.get_xydata() for line in axes.lines] for axes in plt.gcf().axes]
        for i, lines in enumerate(drawn):
            for line, stroke in zip(lines, wanted.polylines(i), strict=True):
                assert np.allclose(line, stroke)
        shape = wanted.strokes[0].size
        learn = Learner(only, nn.Sequential(nn.Flatten(), nn.Linear(shape, only.c)))
        with learn.no_logging(), learn.no_mbar():
            learn.fit(1)
        learn.show_results(max_n=2)

    def test_what_cannot_be_is_refused(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        for keywords, said in (
            ({"image": None}, "nothing is drawn"),
            ({"image": Image(8, layout="NHWC")}, "NCHW"),
            ({"image": None, "strokes": Strokes(9, ragged=True)}, "ragged"),
            ({"inputs": ["strokes"]}, "'strokes' is not drawn"),
            ({"target": "wrod"}, "no column"),
            ({"bs": 64}, "batch_size"),
            ({"views": 2}, "views"),
            ({"eval_batch_size": 0}, "at least 1"),
            ({"target": 3}, "target = 3"),
            ({"target": []}, "give None"),
            ({"inputs": []}, "inputs is empty"),
            ({"valid": View("valid", where={"points": (">", 1 << 20)})}, "valid = .* no drawings"),
        ):
            with pytest.raises(inkstream.FixRequest, match=said):
                made(data, tmp_path, **keywords)
        with pytest.raises(inkstream.FixRequest, match="no position"):
            made(data, tmp_path).valid.state_dict()

    def test_they_are_pickled(self, data: inkstream.Dataset, tmp_path: Path) -> None:
        dls = made(data, tmp_path)
        first = dls.one_batch()[1].tolist()
        again = pickle.loads(pickle.dumps(dls))
        assert again.one_batch()[1].tolist() == first


def half_labelled(binary: Path, where: Path) -> Path:
    """A store whose test split has no words."""
    store = where / "drawings.ink"

    def run(*command: Any) -> None:
        done = subprocess.run([str(binary), *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    sizes = {"train": 200, "valid": 50, "test": 20}
    files = {name: where / f"{name}.ndjson" for name in sizes}
    for seed, (name, size) in enumerate(sizes.items()):
        run("generate", "--drawings", size, "--seed", seed, "--classes", 3, "-o", files[name])
    drawings = [json.loads(line) for line in files["test"].read_text().splitlines()]
    for drawing in drawings:
        del drawing["word"]
    files["test"].write_text("".join(json.dumps(drawing) + "\n" for drawing in drawings))
    run("ingest", *files.values(), "--store", store, "--split-by", "file")
    return store


RANK = """
import json, sys, torch, torch.distributed as dist
from torch import nn
from fastai.learner import Callback, Learner
from fastai.distributed import *
import inkstream
from inkstream.fastai import dataloaders

dist.init_process_group("gloo")
data = inkstream.connect(sys.argv[1]).dataset()
dls = dataloaders(data, image=8, batch_size=50, device="cpu", target="label")

class Seen(Callback):
    order = 90
    def __init__(self):
        super().__init__()
        self.train, self.valid = [], 0
    def before_batch(self):
        if self.learn.training:
            self.train.append(self.learn.yb[0].tolist())
        else:
            self.valid += len(self.learn.yb[0])

torch.manual_seed(0)
seen = Seen()
learn = Learner(dls, nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), cbs=seen)
with learn.distrib_ctx(cpu=True):
    with learn.no_logging(), learn.no_mbar():
        learn.fit(1)
    predicted = [len(x) for x in learn.get_preds()]
weights = [p.tolist() for p in learn.model.parameters()]
print(json.dumps([seen.train, seen.valid, predicted, weights]))
dist.destroy_process_group()
"""


def test_two_ranks_share_training_out(server: Server, data: inkstream.Dataset) -> None:
    pytest.importorskip("accelerate")
    found = run_ranks(2, RANK, server.tcp)
    valid = len(data["valid"])
    for rank, (train, evaluated, predicted, weights) in enumerate(found):
        stream = data.stream("train", batch_size=50, rank=rank, world=2)
        assert train == [batch.label.tolist() for batch in stream]
        assert evaluated == valid * 2  # fit's and get_preds'
        assert predicted == [valid, valid]
        assert weights == found[0][3]
