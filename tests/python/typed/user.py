"""What a user types, right and wrong, for a type checker: never run.

`mypy --strict` (tests/lint.sh) finds each wrong line, which says so, and no other: an ignored
error that is none is reported as well.
"""

from __future__ import annotations

import inkstream
import numpy as np
from inkstream import Augment, Image, KeySet, Strokes, View, Weights

data = inkstream.open("drawings.ink").dataset()
weights = np.ones(10)
keys = np.arange(1, 5)
view = View("train", classes=["cat"], include_keys=keys, exclude_keys=[1, 2], fold=(0, 5, True))
View("train", exclude_keys=KeySet(keys), where={"recognized": True}, max_per_class=5)
View("train", clases=["cat"])  # type: ignore[call-arg]
View("train", fold=3)  # type: ignore[arg-type]
Image(28, dtype="float32", layout="NHWC", fit="box", mean=[0.5], std=0.25)
Image(28, dtype=np.float32)
Image(28, dtype="float")  # type: ignore[arg-type]
Image(28, layout="HWC")  # type: ignore[arg-type]
Image(28, fit="cover")  # type: ignore[arg-type]
Strokes(250, format="stroke5", scale="dataset", too_long="drop")
Strokes(250, format="stroke4")  # type: ignore[arg-type]
Strokes(250, too_long="skip")  # type: ignore[arg-type]
Augment(rotation=10, scale=(0.5, 2))
Augment(rotate=10)  # type: ignore[call-arg]
stream = data.stream(view, image=Image(28), sampling=weights, tail="pad", codec="auto")
data.stream("train", image=128, shuffle=True, epochs=None, on_corrupt="skip", max_bad=3)
data.stream("train", image=(28, 36), strokes=100, shuffle="window:4096", epochs="forever")
data.stream("train", sampling=Weights(keys, [1.0, 0.5]))
data.stream("train", sampling={"cat": 1.0}, step_offset=0, step_stride=2)
data.stream("train", sampling=[("train", 1.0), (view, 2.0)], ignore_index=-1)
data.stream("train", batchsize=3)  # type: ignore[call-arg]
data.stream("train", tail="keep")  # type: ignore[arg-type]
data.stream("train", epochs="often")  # type: ignore[arg-type]
data.stream("train", codec="gzip")  # type: ignore[arg-type]
data.stream("train", transport="grpc")  # type: ignore[call-arg]
data.stream("train", on_corrupt="ignore")  # type: ignore[arg-type]
data.stream("train", image="128")  # type: ignore[arg-type]
data.stream("train", seed=None)  # type: ignore[arg-type]
_ = data.split("train", image=28, augment=Augment(flip_x=0.5), seed=3)[keys].image
data.split("train", batch_size=3)  # type: ignore[call-arg]
rows: int = data.fetch(keys, view=view, columns=["key_id"]).rows
data.fetch(5).words()
data.fetch(keys, tail="drop")  # type: ignore[call-arg]
steps: list[inkstream.PlannedStep] = data.plan("train", batch_size=3, step=4).steps
data.plan("train", batch=3)  # type: ignore[call-arg]
data.share("train", image=28, progress=False)
_ = data["train[:10%]"][5].label
number: int = stream.class_to_idx["cat"]
place: inkstream.Cursor = next(stream).cursor
position: int = place["position"]
_ = place["positon"]  # type: ignore[typeddict-item]
data.stream("train", start=place)
data.stream("train", start=stream.state_dict())
table: inkstream.Table = data.table(view, columns=["word"], strokes=Strokes(100))
spelled: list[str] = table.strings("word")
counts: dict[str, int] = data.counts(view)
sampled: inkstream.Batch = data.sample(4, view, image=28, seed=3)
data.sample(4, view, batch_size=3)  # type: ignore[call-arg]
for fold in data.folds(5, view):
    held_out: View = fold.valid
mixed = inkstream.mix([(data, "train", 3), (data, view, 0.5)], batch_size=64, image=28)
inkstream.mix([(data, "train")])  # type: ignore[list-item]
inkstream.mix([(data, "train", 1)], epochs=3)  # type: ignore[call-arg]
shares: tuple[float, ...] = mixed.weights
together: inkstream.Batch = next(mixed)
