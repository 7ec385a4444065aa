"""The run's volume: copies, and catalog entries whose paths lie on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_kubeflow.entries import on_volume
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.runtime.volume import Volume, copy_tree


def test_a_folder_is_copied_with_what_links_lead_to(tmp_path: Path) -> None:
    source = tmp_path / "data"
    (source / "01/empty").mkdir(parents=True)
    (source / "01/a.csv").write_text("a")
    (source / "02").mkdir()
    (source / "02/link.csv").symlink_to(source / "01/a.csv")
    target = tmp_path / "volume/data"
    assert copy_tree(source, target) == 2
    assert (target / "02/link.csv").read_text() == "a"
    assert not (target / "02/link.csv").is_symlink()
    assert (target / "01/empty").is_dir()
    (source / "01/a.csv").write_text("b")
    assert copy_tree(source, target) == 2, "a task that runs again does no harm"
    assert (target / "01/a.csv").read_text() == "b"
    assert copy_tree(source / "01/a.csv", tmp_path / "one/b.csv") == 1


@pytest.mark.parametrize(
    ("path", "folder", "there"),
    [
        ("data/a.csv", "data", "data/a.csv"),
        ("./data//01/../a.csv", "data", "data/a.csv"),
        ("data", "data", "data"),
        ("data\\\\a.csv", "data", "data/a.csv"),
        ("database/a.csv", "data", None),
        ("data/../conf/x", "data", None),
        ("/data/a.csv", "data", None),
        ("work/data/a.csv", "data", None),
        ("work/data/a.csv", "work/data", "work/data/a.csv"),
    ],
)
def test_which_paths_lie_on_it(path: str, folder: str, there: str | None) -> None:
    assert on_volume(path.replace("\\\\", "\\"), folder) == there


def test_entries_are_pointed_there_wrappers_included() -> None:
    volume = Volume(Path("/kfp-workspace"), "data")
    wrapped = {"type": "kedro.io.CachedDataset", "dataset": {"type": "t", "filepath": "data/a.csv"}}
    assert volume.entry(wrapped)["dataset"]["filepath"] == "/kfp-workspace/data/a.csv"
    assert volume.entry({"type": "t", "path": "data/parts"})["path"] == "/kfp-workspace/data/parts"
    for other in ({"type": "t", "filepath": "s3://b/data/a.csv"}, {"type": "t", "filepath": "x/a"}, {"type": "t"}):
        assert volume.entry(other) == other


def test_how_a_dataset_on_it_crosses() -> None:
    entry = {"type": "matplotlib.MatplotlibDataset", "filepath": "data/plot.png"}
    shared = handoff("plot", entry, volume="data")
    assert (shared.kind, shared.plot, shared.filename) == ("volume", True, "plot.png")
    assert handoff("plot", entry, volume="data", stored=False).plot is False
    assert handoff("plot", {**entry, "filepath": "plot.png"}, volume="data").kind == "file"
    assert handoff("plot", None, volume="data").kind == "memory"
