"""The tag is made of what the image is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_kubeflow.config.image import ImageConfig
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.image.tag import built_with_others, image_for, repository


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("penguins", "penguins"),
        ("penguins:latest", "penguins"),
        ("registry.example.com:5000/team/penguins", "registry.example.com:5000/team/penguins"),
        ("registry.example.com:5000/team/penguins:1@sha256:abc", "registry.example.com:5000/team/penguins"),
    ],
)
def test_repository(image: str, expected: str) -> None:
    assert repository(image) == expected


def tag(project: Path, sources: list[str] | None, platform: str = "linux/amd64") -> str:
    return image_for(project, "r:5000/p:old", dockerfile="Dockerfile", platform=platform, sources=sources)


def test_what_changes_the_tag(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--with-dockerfile"):
        tag(tmp_path, None)
    for name, text in {"Dockerfile": "FROM x", "requirements.txt": "a", "src.py": "1"}.items():
        (tmp_path / name).write_text(text)
    held, alone = tag(tmp_path, ["src.py"]), tag(tmp_path, None)
    assert held.startswith("r:5000/p:")
    assert len({held, alone, tag(tmp_path, None, "linux/arm64")}) == 3
    (tmp_path / "src.py").write_text("2")
    assert tag(tmp_path, None) == alone
    assert tag(tmp_path, ["src.py"]) != held
    (tmp_path / "requirements.txt").write_text("b")
    assert tag(tmp_path, None) != alone


def test_a_tag_of_ours_tells_whether_the_requirements_are_others_now(tmp_path: Path) -> None:
    def said(image: str) -> str | None:
        return next(built_with_others(tmp_path, [image], ImageConfig()), None)

    for name, text in {"Dockerfile": "FROM x", "requirements.txt": "a", "src.py": "1"}.items():
        (tmp_path / name).write_text(text)
    held, alone = tag(tmp_path, ["src.py"]), tag(tmp_path, None)
    assert held.startswith(f"{alone}-")
    (tmp_path / "src.py").write_text("2")
    assert said(held) is said(alone) is None
    (tmp_path / "requirements.txt").write_text("b")
    for image in (held, alone):
        assert f"{image} was built with other requirements" in str(said(image))
    assert "(Dockerfile, requirements.txt)" in str(said(held))
    assert said("r/p:1.0") is said("r/p") is said("r/p@sha256:0") is None


def test_of_pyproject_what_is_required_counts(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x")
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\ndependencies = ["kedro"]\n')
    before = tag(tmp_path, None)
    file.write_text('[project]\ndependencies = ["kedro"]\n[tool.ruff]\nline-length = 100\n')
    assert tag(tmp_path, None) == before
    file.write_text('[project]\ndependencies = ["kedro", "mlflow"]\n')
    assert tag(tmp_path, None) != before
