"""What requirements name, in the many files in which projects write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_kubeflow.project.required import required

# What kind of file → whether it asks for kedro-kubeflow, and for kedro-mlflow by itself or by an extra; and the files.
CASES: dict[str, tuple[str, dict[str, str | bytes]]] = {
    "plain": ("both", {"requirements.txt": ("kedro-kubeflow\nkedro-mlflow>=2\n")}),
    "extras": ("both", {"requirements.txt": "kedro-kubeflow[mlflow,vertexai]>=1.0 ; python_version>'3.9'\n"}),
    "extras spaces": ("both", {"requirements.txt": "kedro_kubeflow [ MLflow ] == 1.0\n"}),
    "norm": ("both", {"requirements.txt": ("Kedro.Kubeflow\nKEDRO__mlflow==2\n")}),
    "bom crlf": ("both", {"requirements.txt": ("\ufeffkedro-kubeflow\r\nkedro-mlflow\r\n")}),
    "utf16": ("both", {"requirements.txt": ("kedro-kubeflow\r\nkedro-mlflow\r\n").encode("utf-16")}),
    "comment": ("none", {"requirements.txt": ("# kedro-kubeflow\nkedro # kedro-mlflow\n#kedro-mlflow\n")}),
    "url": ("kubeflow", {"requirements.txt": "kedro-kubeflow @ git+https://github.com/x/kedro-kubeflow@main\n"}),
    "url extras": ("both", {"requirements.txt": "kedro-kubeflow[mlflow] @ git+https://github.com/x/y.git@main\n"}),
    "bare git url egg": (
        "both",
        {"requirements.txt": "git+https://github.com/x/kedro-kubeflow.git@main#egg=kedro-kubeflow[mlflow]\n"},
    ),
    "bare git url no egg": ("kubeflow", {"requirements.txt": "git+https://github.com/x/kedro-kubeflow.git@main\n"}),
    "editable egg": (
        "kubeflow",
        {"requirements.txt": "-e git+https://github.com/x/kedro-kubeflow.git#egg=kedro-kubeflow\n"},
    ),
    "wheel path": ("kubeflow", {"requirements.txt": "./wheels/kedro_kubeflow-1.0.0-py3-none-any.whl\n"}),
    "wheel url": ("kubeflow", {"requirements.txt": "https://x.y/kedro_kubeflow-1.0.0-py3-none-any.whl\n"}),
    "hashes": (
        "kubeflow",
        {"requirements.txt": ("kedro-kubeflow==1.0 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\n")},
    ),
    "cont": ("both", {"requirements.txt": ("kedro-kubeflow\\\n==1.0\nkedro-mlflow \\\n >=2\n")}),
    "-r include": (
        "both",
        {
            "requirements.txt": "-r reqs/base.in\n",
            "reqs/base.in": ("kedro-kubeflow\n-r more.txt\n"),
            "reqs/more.txt": "kedro-mlflow\n",
        },
    ),
    "--requirement=": ("kubeflow", {"requirements.txt": "--requirement=deps.txt\n", "deps.txt": "kedro-kubeflow\n"}),
    "-c constraint only": (
        "none",
        {
            "requirements.txt": ("kedro\n-c constraints.txt\n"),
            "constraints.txt": ("kedro-kubeflow==1\nkedro-mlflow==2\n"),
        },
    ),
    "constraints named requirements-constraints": (
        "none",
        {
            "requirements.txt": ("kedro\n-c requirements-constraints.txt\n"),
            "requirements-constraints.txt": "kedro-kubeflow==1\n",
        },
    ),
    "src reqs": ("kubeflow", {"src/requirements.txt": "kedro-kubeflow\n"}),
    "requirements folder": ("kubeflow", {"requirements/prod.txt": "kedro-kubeflow\n"}),
    "pep621": (
        "both",
        {
            "pyproject.toml": (
                '[project]\nname="x"\ndependencies=["kedro-kubeflow[mlflow]~=1.0; python_version>=\'3.10\'"]\n'
            )
        },
    ),
    "optional": (
        "kubeflow",
        {"pyproject.toml": ('[project]\nname="x"\n[project.optional-dependencies]\nkfp=["kedro-kubeflow"]\n')},
    ),
    "own name": ("none", {"pyproject.toml": ('[project]\nname="kedro-kubeflow"\ndependencies=["kedro"]\n')}),
    "own name like": (
        "none",
        {
            "pyproject.toml": (
                "[project]\n"
                'name="kedro-kubeflow-demo"\n'
                'description="kedro-kubeflow and kedro-mlflow"\n'
                'dependencies=["kedro"]\n'
            )
        },
    ),
    "own name reqs": (
        "none",
        {"pyproject.toml": ('[project]\nname="kedro-mlflow-demo"\ndependencies=["kedro","kedro-mlflow-extras"]\n')},
    ),
    "poetry": (
        "both",
        {
            "pyproject.toml": (
                "[tool.poetry]\n"
                'name="x"\n'
                "[tool.poetry.dependencies]\n"
                'python="^3.11"\n'
                'kedro-kubeflow={version="^1.0",extras=["mlflow"]}\n'
            )
        },
    ),
    "poetry group": (
        "kubeflow",
        {"pyproject.toml": ('[tool.poetry]\nname="x"\n[tool.poetry.group.prod.dependencies]\nkedro-kubeflow="^1"\n')},
    ),
    "poetry list": (
        "both",
        {
            "pyproject.toml": (
                "[tool.poetry]\n"
                'name="x"\n'
                "[tool.poetry.dependencies]\n"
                'kedro-kubeflow=[{version="^1",python="<3.11",extras=["mlflow"]},{version="^2",python=">=3.11"}]\n'
            )
        },
    ),
    "dynamic file": (
        "both",
        {
            "pyproject.toml": (
                "[project]\n"
                'name="x"\n'
                'dynamic=["dependencies"]\n'
                "[tool.setuptools.dynamic]\n"
                'dependencies={file=["deps/base.txt"]}\n'
            ),
            "deps/base.txt": ("kedro-kubeflow\nkedro-mlflow\n"),
        },
    ),
    "groups": (
        "kubeflow",
        {
            "pyproject.toml": (
                "[project]\n"
                'name="x"\n'
                "[dependency-groups]\n"
                'prod=["kedro-kubeflow",{include-group="dev"}]\n'
                'dev=["pytest"]\n'
            )
        },
    ),
    "uv dev": (
        "kubeflow",
        {"pyproject.toml": ('[project]\nname="x"\n[tool.uv]\ndev-dependencies=["kedro-kubeflow"]\n')},
    ),
    "pdm": (
        "kubeflow",
        {"pyproject.toml": ('[project]\nname="x"\n[tool.pdm.dev-dependencies]\na=["kedro-kubeflow"]\n')},
    ),
    "hatch env": (
        "kubeflow",
        {"pyproject.toml": ('[project]\nname="x"\n[tool.hatch.envs.default]\ndependencies=["kedro-kubeflow"]\n')},
    ),
    "pixi pyproject": (
        "kubeflow",
        {"pyproject.toml": ('[project]\nname="x"\n[tool.pixi.pypi-dependencies]\nkedro-kubeflow="*"\n')},
    ),
    "setup.py": (
        "both",
        {
            "setup.py": (
                'from setuptools import setup\nsetup(name="x", install_requires=["kedro-kubeflow[mlflow]>=1"])\n'
            )
        },
    ),
    "setup.py name": (
        "none",
        {
            "setup.py": (
                "from setuptools import setup\n"
                'setup(name="kedro-kubeflow", description="uses kedro-mlflow", install_requires=["kedro"])\n'
            )
        },
    ),
    "setup.cfg": (
        "kubeflow",
        {"setup.cfg": ("[metadata]\nname = x\n[options]\ninstall_requires =\n    kedro>=1\n    kedro-kubeflow\n")},
    ),
    "setup.cfg name": (
        "none",
        {
            "setup.cfg": (
                "[metadata]\n"
                "name = kedro-kubeflow\n"
                "description =\n"
                "    kedro-mlflow helper\n"
                "[options]\n"
                "install_requires =\n"
                "    kedro>=1\n"
            )
        },
    ),
    "uv.lock": (
        "both",
        {
            "uv.lock": (
                'version = 1\n[[package]]\nname = "kedro-kubeflow"\nversion = "1"\n[[package]]\nname = "kedro-mlflow"\n'
            )
        },
    ),
    "uv.lock own": (
        "none",
        {
            "pyproject.toml": ('[project]\nname="kedro-kubeflow"\ndependencies=["kedro"]\n'),
            "uv.lock": (
                "version = 1\n"
                "[[package]]\n"
                'name = "kedro-kubeflow"\n'
                'version = "1"\n'
                'source = { editable = "." }\n'
                "[[package]]\n"
                'name = "kedro"\n'
            ),
        },
    ),
    "poetry.lock": (
        "kubeflow",
        {
            "poetry.lock": (
                "[[package]]\n"
                'name = "kedro-kubeflow"\n'
                'version = "1.0"\n'
                "\n"
                "[package.extras]\n"
                'mlflow = ["kedro-mlflow (>=2)"]\n'
            )
        },
    ),
    "pylock": (
        "kubeflow",
        {"pylock.toml": ('lock-version = "1.0"\n[[packages]]\nname = "kedro-kubeflow"\nversion="1"\n')},
    ),
    "pylock.prod": (
        "kubeflow",
        {"pylock.prod.toml": ('lock-version = "1.0"\n[[packages]]\nname = "kedro-kubeflow"\n')},
    ),
    "Pipfile.lock": ("kubeflow", {"Pipfile.lock": '{"default": {"kedro-kubeflow": {"version": "==1"}}}\n'}),
    "Pipfile": ("both", {"Pipfile": ('[packages]\nkedro-kubeflow = "*"\nkedro-mlflow = {version="*"}\n')}),
    "env yml": (
        "kubeflow",
        {
            "environment.yml": (
                "name: x\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - kedro-kubeflow==1.0\n"
            )
        },
    ),
    "env yml own": ("none", {"environment.yml": ("name: kedro-kubeflow\ndependencies:\n  - python=3.11\n")}),
    "conda ch": ("kubeflow", {"environment.yml": ("name: x\ndependencies:\n  - conda-forge::kedro-kubeflow>=1\n")}),
    "pixi": ("kubeflow", {"pixi.toml": ('[project]\nname="x"\n[pypi-dependencies]\nkedro-kubeflow = "*"\n')}),
    "pixi.lock": (
        "kubeflow",
        {
            "pixi.lock": (
                "version: 6\n"
                "packages:\n"
                "- pypi: https://x/kedro_kubeflow-1.0-py3-none-any.whl\n"
                "  name: kedro-kubeflow\n"
                '  version: "1"\n'
            )
        },
    ),
    "conda-lock": ("kubeflow", {"conda-lock.yml": ('package:\n- name: kedro-kubeflow\n  version: "1"\n')}),
    "reqs.lock rye": (
        "kubeflow",
        {"requirements.lock": ("-e file:.\nkedro-kubeflow==1.0\n    # via x\nkedro==1\n    # via kedro-mlflow\n")},
    ),
    "pip-compile via": (
        "kubeflow",
        {
            "requirements.txt": (
                "kedro-kubeflow==1.0\n"
                "    # via\n"
                "    #   -r requirements.in\n"
                "    #   kedro-mlflow\n"
                "kedro==1 # via kedro-mlflow\n"
            )
        },
    ),
    "git ssh": (
        "kubeflow",
        {"requirements.txt": "-e git+ssh://git@github.com/x/kedro-kubeflow.git@feature/a#subdirectory=y\n"},
    ),
    "env of pip -r": (
        "kubeflow",
        {
            "environment.yml": ("name: x\ndependencies:\n  - pip:\n    - -r requirements/base.txt\n"),
            "requirements/base.txt": "kedro-kubeflow\n",
        },
    ),
    "setup.cfg file:": (
        "kubeflow",
        {"setup.cfg": ("[options]\ninstall_requires = file: deps.txt\n"), "deps.txt": "kedro-kubeflow\n"},
    ),
    "setup.py var": (
        "both",
        {
            "setup.py": (
                'R = """\n'
                "kedro\n"
                "kedro-kubeflow[mlflow]\n"
                '"""\n'
                "from setuptools import setup\n"
                'setup(name="x", install_requires=R.split())\n'
            )
        },
    ),
    "uv sources": (
        "none",
        {
            "pyproject.toml": (
                "[project]\n"
                'name="x"\n'
                'dependencies=["kedro"]\n'
                "[tool.uv.sources]\n"
                'kedro-kubeflow={git="https://x"}\n'
                "[tool.uv]\n"
                'constraint-dependencies=["kedro-mlflow<3"]\n'
            )
        },
    ),
    "broken toml": ("none", {"pyproject.toml": "[project\n"}),
    "broken yaml": ("none", {"environment.yml": "a: [\n"}),
    "broken setup": ("none", {"setup.py": "setup(\n"}),
    "circular": ("kubeflow", {"requirements.txt": ("-r requirements.txt\nkedro-kubeflow\n")}),
    "setuptools packages": (
        "none",
        {"pyproject.toml": ('[project]\nname="x"\n[tool.setuptools]\npackages=["kedro_kubeflow"]\n')},
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_asked_for(tmp_path: Path, kind: str) -> None:
    asked, files = CASES[kind]
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    found, _ = required(tmp_path)
    kubeflow = "kedro-kubeflow" in found
    mlflow = "kedro-mlflow" in found or "mlflow" in found.get("kedro-kubeflow", ())
    assert (kubeflow, mlflow) == {
        "both": (True, True),
        "kubeflow": (True, False),
        "mlflow": (False, True),
        "none": (False, False),
    }[asked]


def test_extras_are_kept_and_files_named(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/requirements.txt").write_text("kedro~=1.0\nKedro_Kubeflow[mlflow,gcp]>=1\n")
    found, files = required(tmp_path)
    assert found["kedro-kubeflow"] == {"mlflow", "gcp"}
    assert files == ["src/requirements.txt"]
