"""fastai: `dataloaders` makes DataLoaders whose batches come from a stream.

from inkstream import Image
dls = inkstream.fastai.dataloaders(data, image=Image(28))
learn = vision_learner(dls, resnet18, n_in=1, pretrained=False, metrics=accuracy)
learn.fit_one_cycle(3, cbs=inkstream.fastai.CheckpointCallback("run.ckpt", every=500))
"""

from __future__ import annotations

from inkstream._python.extras import require

require("inkstream.fastai", "fastai", ["torch", "fastai"])

from inkstream.fastai._checkpoint_callback import CheckpointCallback
from inkstream.fastai._drawing_data_loaders import DrawingDataLoaders, dataloaders
from inkstream.fastai._drawing_dl import DrawingDL
from inkstream.fastai._drawings import Drawings
from inkstream.fastai._tensor_strokes import TensorStrokes

__all__ = [
    "CheckpointCallback",
    "DrawingDL",
    "DrawingDataLoaders",
    "Drawings",
    "TensorStrokes",
    "dataloaders",
]
