"""Packing gives the same bytes for the same files; unpacking refuses what could do harm."""

from __future__ import annotations

import io
import lzma
import os
import tarfile
from pathlib import Path

import pytest

from kedro_kubeflow.code.archive import MANIFEST, pack, unpack
from kedro_kubeflow.errors import StepError


def project(folder: Path) -> Path:
    (folder / "src/pkg").mkdir(parents=True)
    (folder / "src/pkg/nodes.py").write_text("x = 1\n")
    (folder / "src/pkg/größe.py").write_text("y = 2\n")
    script = folder / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o750)
    return folder


NAMES = ["run.sh", "src/pkg/größe.py", "src/pkg/nodes.py"]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = project(tmp_path / "a"), project(tmp_path / "b")
    os.utime(two / "src/pkg/nodes.py", (1, 1))
    first, second = pack(one, NAMES, {"a": 1}), pack(two, NAMES[::-1], {"a": 1})
    assert first.content == second.content
    assert first.digest == second.digest
    (two / "src/pkg/nodes.py").write_text("x = 2\n")
    assert pack(two, NAMES, {"a": 1}).digest != first.digest


def test_there_and_back(tmp_path: Path) -> None:
    packed = pack(project(tmp_path / "a"), NAMES, {"requirements": {}})
    target = tmp_path / "out"
    assert unpack(packed.content, target, digest=packed.digest) == {"requirements": {}}
    found = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    assert found == sorted([*NAMES, MANIFEST])
    assert (target / "src/pkg/größe.py").read_text() == "y = 2\n"
    assert os.access(target / "run.sh", os.X_OK)
    assert not os.access(target / "src/pkg/nodes.py", os.X_OK)


def archive_of(*members: tarfile.TarInfo) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return lzma.compress(plain.getvalue())


def member(name: str, **values: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    "bad",
    [
        member("../escaped.py", size=1),
        member("/tmp/absolute.py", size=1),
        member("a/../../b.py", size=1),
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("hard", type=tarfile.LNKTYPE, linkname="ok.py"),
        member("pipe", type=tarfile.FIFOTYPE),
        member("device", type=tarfile.CHRTYPE),
        member("..\\windows.py", size=1),
    ],
    ids=lambda m: m.name,
)
def test_what_could_do_harm_is_refused_before_anything_is_written(bad: tarfile.TarInfo, tmp_path: Path) -> None:
    target = tmp_path / "deep/inside"
    with pytest.raises(StepError, match="refused"):
        unpack(archive_of(member("ok.py", size=1), bad), target)
    assert not list(tmp_path.rglob("*.py"))
    assert not target.exists() or not any(target.iterdir())


def test_damage_and_the_wrong_code_are_told(tmp_path: Path) -> None:
    packed = pack(project(tmp_path / "a"), NAMES, {})
    with pytest.raises(StepError, match="cannot be read"):
        unpack(packed.content[:-40], tmp_path / "o")
    with pytest.raises(StepError, match="was asked for"):
        unpack(packed.content, tmp_path / "o", digest="0" * 64)
    with pytest.raises(StepError, match="larger than"):
        unpack(lzma.compress(b"\0" * (257 * 2**20), preset=0), tmp_path / "o")
