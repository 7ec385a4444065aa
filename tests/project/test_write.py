"""A file is written whole or not at all; what is no file stays what it is."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from kedro_kubeflow.errors import ProjectError
from kedro_kubeflow.project.write import write_text


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_text(pipe, "all of it")
    reader.join(10)
    assert read == ["all of it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_stood_there_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "deep/file"
    for text in ("first", "second"):
        write_text(file, text)
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]
    with pytest.raises(ProjectError, match="cannot be written"):
        write_text(file / "inside", "x")
