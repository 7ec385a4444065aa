"""Never a half file under its final name; archives that would do harm are refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from kedro_kubeflow.errors import ProjectError, ServerError
from kedro_kubeflow.results.arrival import arriving, unpack_folder
from kedro_kubeflow.results.load import load
from kedro_kubeflow.results.store import Store


def test_all_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "deep/rows.csv"

    def breaks_off() -> None:
        with arriving(target) as place:
            place.write_text("half")
            raise ServerError("broke off")

    with pytest.raises(ServerError):
        breaks_off()
    assert list((tmp_path / "deep").iterdir()) == []
    for text in ("first", "second"):
        with arriving(target) as place:
            place.write_text(text)
    assert target.read_text() == "second"
    with pytest.raises(ServerError):
        breaks_off()
    assert target.read_text() == "second"
    assert list((tmp_path / "deep").iterdir()) == [target]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def into_a_file() -> None:
        with arriving(tmp_path / "file/x"):
            pass

    with pytest.raises(ProjectError, match="Nothing can be written"):
        into_a_file()


def archive(path: Path, name: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 200_000
        tar.addfile(info, io.BytesIO(bytes(range(200)) * 1000))
    return path


def test_folders_arrive_whole_and_inside(tmp_path: Path) -> None:
    good = archive(tmp_path / "good.tgz", "a/b.csv")
    unpack_folder(good, tmp_path / "out")
    assert (tmp_path / "out/a/b.csv").stat().st_size == 200_000
    good.write_bytes(good.read_bytes()[:-200])
    with pytest.raises(ServerError, match="did not arrive whole"):
        unpack_folder(good, tmp_path / "out2")
    with pytest.raises(ServerError):
        unpack_folder(archive(tmp_path / "bad.tgz", "../../x"), tmp_path / "deep/out3")
    assert not (tmp_path / "x").exists()


def test_files_and_folders_of_a_store(tmp_path: Path) -> None:
    (tmp_path / "art/part").mkdir(parents=True)
    (tmp_path / "art/part/a.json").write_text('{"a": 1}')
    (tmp_path / "art/b.json").write_text('{"b": 2}')
    told: list[int] = []
    assert Store(str(tmp_path / "art")).size() == 16
    Store(str(tmp_path / "art")).fetch(tmp_path / "brought", told.append)
    assert sum(told) == 16
    assert (tmp_path / "brought/part/a.json").read_text() == '{"a": 1}'
    Store(f"file://{tmp_path}/art/b.json").fetch(tmp_path / "b.json")
    entry = {"type": "json.JSONDataset", "filepath": "data/b.json", "metadata": {"x": 1}}
    assert load("b", entry, tmp_path / "b.json", memory_dataset={}) == {"b": 2}
    assert Store(str(tmp_path / "none")).size() is None
    with pytest.raises(ServerError, match="nothing at this address"):
        Store(str(tmp_path / "none")).fetch(tmp_path / "x")
    with pytest.raises(ProjectError, match="cannot be loaded"):
        load("b", None, tmp_path / "b.json", memory_dataset={"type": "pickle.PickleDataset"})
