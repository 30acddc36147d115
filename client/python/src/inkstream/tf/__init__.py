"""TensorFlow and Keras: a stream as a tf.data.Dataset."""

from __future__ import annotations

from inkstream._extras import require

require("inkstream.tf", "tf", ["tensorflow"])

from inkstream.tf._dataset import dataset

__all__ = ["dataset"]
