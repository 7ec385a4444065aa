"""What .dockerignore keeps out, as Docker reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_kubeflow.project.dockerignore import DockerIgnore


@pytest.mark.parametrize(
    ("lines", "path", "kept_out"),
    [
        ("data", "data/01_raw/x.csv", True),
        ("/data/", "data/x.csv", True),
        ("data", "src/data/x.csv", False),
        ("**/data", "src/data/x.csv", True),
        ("*.csv", "x.csv", True),
        ("*.csv", "data/x.csv", False),
        ("**/*.csv", "data/01/x.csv", True),
        ("**/*.csv", "x.csv", True),
        ("data/*/x.csv", "data/01/x.csv", True),
        ("data/*/x.csv", "data/01/02/x.csv", False),
        ("data/**", "data/01/02/x.csv", True),
        ("data/**/x.csv", "data/x.csv", True),
        ("data/?.csv", "data/x.csv", True),
        ("data/[a-c].csv", "data/b.csv", True),
        ("data/[^a-c].csv", "data/b.csv", False),
        ("data\n!data/01_raw", "data/01_raw/x.csv", False),
        ("data\n!data/01_raw\ndata/01_raw/x.csv", "data/01_raw/x.csv", True),
        ("!data\ndata", "data/x.csv", True),
        ("# data\n\n", "data/x.csv", False),
        ("conf/**/*credentials*", "conf/base/credentials.yml", True),
        ("conf/local\n!conf/local/.gitkeep", "conf/local/.gitkeep", False),
        ("a+b (1)", "a+b (1)/x", True),
        ("data", "./data//x.csv", True),
    ],
)
def test_patterns(lines: str, path: str, kept_out: bool) -> None:
    assert bool(DockerIgnore.parse(lines).excludes(path)) == kept_out


def test_the_rule_that_does_is_named() -> None:
    rule = DockerIgnore.parse("*.txt\ndata\n").excludes("data/x.csv")
    assert rule is not None
    assert rule.text == "data"


def test_the_file_that_a_build_would_take(tmp_path: Path) -> None:
    assert DockerIgnore.read(tmp_path).excludes("data/x.csv") is None
    (tmp_path / ".dockerignore").write_text("data\n")
    assert DockerIgnore.read(tmp_path).name == ".dockerignore"
    (tmp_path / "Dockerfile.dockerignore").write_text("logs\n")
    assert DockerIgnore.read(tmp_path).excludes("data/x.csv") is None
