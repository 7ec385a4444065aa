"""What requirements name, in the many files in which projects write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_kubeflow.project.required import required

NAMING = {
    "requirements.txt": "kedro~=1.0\nKedro_Kubeflow[mlflow,gcp]>=1\n",
    "src/requirements.txt": "# ours\nkedro-kubeflow\n",
    "environment.yml": "dependencies:\n  - python\n  - pip:\n    - kedro-kubeflow==1.0\n",
    "uv.lock": '[[package]]\nname = "kedro-kubeflow"\nversion = "1.0"\n',
    "pylock.toml": '[[packages]]\nname = "kedro-kubeflow"\n',
    "Pipfile.lock": '{"default": {\n  "kedro-kubeflow": {\n    "version": "==1.0"}}}',
    "pyproject.toml": '[project]\nname = "demo"\ndependencies = ["kedro-kubeflow[mlflow] ; python_version > \'3\'"]\n',
    "setup.py": "setup(name='demo', install_requires=['kedro', 'kedro-kubeflow >= 1'])",
}


@pytest.mark.parametrize("name", NAMING)
def test_a_package_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(NAMING[name])
    named, files = required(tmp_path)
    assert "kedro-kubeflow" in named
    assert files == [name]


def test_extras_are_kept(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(NAMING["requirements.txt"])
    assert required(tmp_path)[0]["kedro-kubeflow"] == {"mlflow", "gcp"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "my-kedro-kubeflow-demo"\n[tool.kedro]\nproject_name = "kedro-kubeflow"\n',
        ),
        ("requirements.txt", "kedro-kubeflow-extra\n# kedro-kubeflow\n"),
        ("uv.lock", '[[package]]\nname = "kedro-kubeflow-demo"\n'),
    ],
)
def test_another_name_is_not_it(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert "kedro-kubeflow" not in required(tmp_path)[0]
