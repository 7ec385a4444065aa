"""A step works in a folder made from the code that came with it; the rest is the image's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kedro_kubeflow.code.archive import pack
from kedro_kubeflow.project.requirements import requirement_digests
from kedro_kubeflow.runtime.code import changed_requirements

LOOK = """
import json, os, sys
from pathlib import Path
from kedro_kubeflow.runtime.code import project_from
before = os.getcwd()
with project_from(Path(sys.argv[1]).read_bytes()) as manifest:
    here = Path.cwd()
    files = sorted(p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    rows = Path("data/01_raw/rows.csv").read_text()
    Path("data/01_raw").resolve()
    import pkg, tool
    inner = {"files": files, "rows": rows, "pkg": pkg.WHERE, "tool": tool.__file__, "cwd": str(here),
             "child": os.environ["PYTHONPATH"]}
print(json.dumps({**inner, "after": os.getcwd() == before, "gone": not here.exists()}))
"""


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return put(
        tmp_path / "image",
        {
            "src/pkg/__init__.py": "WHERE = 'image'\n",
            "src/pkg/deleted.py": "",
            "conf/base/old.yml": "a: 1\n",
            "conf/base/credentials.yml": "a: ${oc.env:A}\n",
            "conf/local/globals.yml": "",
            "data/01_raw/rows.csv": "1,2\n",
            "tool.py": "x = 1\n",
            "requirements.txt": "kedro==1.0\n",
            ".kubeflow/runs/x": "",
        },
    )


def look(image: Path, content: bytes) -> tuple[dict[str, object], str]:
    archive = image.parent / "code.tar.xz"
    archive.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(archive)],
        cwd=image,
        env={"PYTHONPATH": f"{image / 'src'}:{image}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout), done.stderr


def test_code_from_here_data_from_the_image(image: Path, tmp_path: Path) -> None:
    here = put(
        tmp_path / "here",
        {
            "src/pkg/__init__.py": "WHERE = 'travelled'\n",
            "conf/base/new.yml": "",
            "requirements.txt": "kedro==1.1\n",
            "data/lookup.csv": "",
        },
    )
    names = sorted(p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file())
    manifest = {"requirements": {"requirements.txt": "0" * 64}, "folders": ["src", "conf"]}
    found, said = look(image, pack(here, names, manifest).content)
    assert found["pkg"] == "travelled"
    assert found["rows"] == "1,2\n"
    files = found["files"]
    assert isinstance(files, list)
    assert not {"src/pkg/deleted.py", "conf/base/old.yml", ".kubeflow/runs/x"} & set(files)
    assert {"src/pkg/__init__.py", "conf/base/new.yml", "data/lookup.csv", "tool.py"} <= set(files)
    # What never travels is the image's own.
    assert {"conf/base/credentials.yml"} <= set(files)
    assert str(found["cwd"]) in str(found["child"])
    assert found["after"]
    assert found["gone"]
    assert "other requirements" in said
    assert "requirements.txt" in said


def test_requirements_on_one_side_alone_are_no_difference(tmp_path: Path) -> None:
    put(tmp_path, {"requirements.txt": "a\n", "setup.py": "b\n"})
    here = requirement_digests(tmp_path)
    assert changed_requirements({"requirements": here | {"uv.lock": "1"}}, tmp_path) == []
    assert changed_requirements({"requirements": here | {"requirements.txt": "1"}}, tmp_path) == ["requirements.txt"]
