"""deploy/make_sbom.sh: what the binary is made of, as dpkg and the binary itself say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def sbom(root: Path, binary: Path) -> dict[str, Any]:
    done = subprocess.run(
        [str(root / "deploy/make_sbom.sh"), str(binary)],
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_it_is_spdx(sbom: dict[str, Any]) -> None:
    """What the specification asks of a document and of its packages."""
    assert sbom["spdxVersion"] == "SPDX-2.3"
    assert sbom["dataLicense"] == "CC0-1.0"
    assert sbom["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    ids = [package["SPDXID"] for package in sbom["packages"]]
    assert len(set(ids)) == len(ids)
    for package in sbom["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"])
        assert package["name"] and package["versionInfo"] and package["downloadLocation"]
        for reference in package.get("externalRefs", []):
            assert re.fullmatch(
                r"pkg:deb/debian/[a-z0-9.%B-]+@[\w.%:~-]+\?arch=\w+", reference["referenceLocator"]
            )
    for relation in sbom["relationships"]:
        assert relation["relatedSpdxElement"] in ids


def test_it_names_what_is_loaded_in_the_version_that_is_installed(
    sbom: dict[str, Any], inkstream: Run
) -> None:
    versions = json.loads(inkstream("--version", "--json").stdout)
    packages = {package["SPDXID"]: package for package in sbom["packages"]}
    loaded = [
        packages[relation["relatedSpdxElement"]]
        for relation in sbom["relationships"]
        if relation["relationshipType"] == "DEPENDS_ON"
    ]
    assert packages["SPDXRef-inkstream"]["versionInfo"] == versions["version"]
    for library, source in (
        ("grpc", "grpc"),
        ("protobuf", "protobuf"),
        ("lmdb", "lmdb"),
        ("zstd", "libzstd"),
    ):
        found = {
            re.sub(r"^\d+:|[-+].*$", "", package["versionInfo"])
            for package in loaded
            if package["sourceInfo"] == source
        }
        assert found == {versions["libraries"][library]}, library


def test_every_library_that_is_loaded_has_a_package(sbom: dict[str, Any], binary: Path) -> None:
    loaded = {r["relatedSpdxElement"] for r in sbom["relationships"]}
    ldd = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=True).stdout
    for library in ("libmicrohttpd", "libsimdjson", "libspdlog", "libxxhash", "libssl", "libcairo"):
        assert library in ldd.replace("libcrypto", "libssl")
        assert any(library in name for name in loaded), library


def test_the_build_id_does_not_tell_where_it_was_built(root: Path, binary: Path) -> None:
    """What differs from one machine to the next would make another binary of the same sources."""
    program = binary.read_bytes()
    assert b".note.gnu.build-id" in program
    for place in (root, binary.parent):
        assert str(place.resolve()).encode() not in program, place
