"""Prints the versions of an environment's frameworks, as rows of the table in tests/README.md."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

OF = {
    "torch": [
        "torch", "lightning", "accelerate", "torchdata", "fastai", "fastcore", "transformers",
        "datasets",
    ],
    "jax": ["jax", "flax", "optax", "grain", "ml_dtypes"],
    "tensorflow": ["tensorflow-cpu", "keras"],
    "ray": ["ray", "pyarrow", "torch"],
    "oldest": ["grpcio", "protobuf"],
}  # fmt: skip


def known(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} missing"


if __name__ == "__main__":
    name = sys.argv[1]
    frameworks = ", ".join(known(package) for package in OF[name])
    print(f"| `{name}` | {frameworks} | {platform.python_version()} | {version('numpy')} |")
