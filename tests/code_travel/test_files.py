"""Which files go along, and that no secret does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kedro_kubeflow.code.files import CodeRules
from kedro_kubeflow.code.secrets import refuse_secrets
from kedro_kubeflow.errors import ConfigError

FILES = {
    "pyproject.toml": "[tool.kedro]\n",
    "requirements.txt": "kedro\n",
    "README.md": "words\n",
    "src/pkg/__init__.py": "",
    "src/pkg/nodes.py": "x = 1\n",
    "src/pkg/look.ipynb": "{}",
    "src/pkg/ignored.py": "CANARY\n",
    "src/pkg/.env": "CANARY\n",
    "src/other/__init__.py": "",
    "src/pkg/__pycache__/nodes.pyc": "CANARY",
    "conf/base/catalog.yml": "{}\n",
    "conf/base/credentials.yml": "CANARY\n",
    "conf/prod/credentials_db.yaml": "CANARY\n",
    "conf/local/parameters.yml": "CANARY\n",
    "conf/logging.yml": "{}\n",
    ".env": "CANARY\n",
    ".env.local": "CANARY\n",
    "data/01_raw/rows.csv": "CANARY\n",
    "notebooks/try.ipynb": "CANARY\n",
    "lookup/table.csv": "a,b\n",
    ".gitignore": "ignored.py\n/data/**\n",
}
USUAL = [
    "conf/base/catalog.yml",
    "conf/logging.yml",
    "pyproject.toml",
    "requirements.txt",
    "src/other/__init__.py",
    "src/pkg/__init__.py",
    "src/pkg/nodes.py",
]


@pytest.fixture(params=["git", "no git"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    if request.param == "git":
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def rules(project: Path, **more: tuple[str, ...]) -> CodeRules:
    return CodeRules(project=project, source=project / "src", conf_source=project / "conf", **more)


def test_the_package_its_configuration_and_its_requirements_go_along(project: Path) -> None:
    found = rules(project).names()
    # pyproject.toml's [tool.kedro] alone names no dependencies, and it goes along as what makes the folder a project.
    assert found == USUAL
    assert not [n for n in found if "CANARY" in (project / n).read_text()]


def test_include_and_exclude(project: Path) -> None:
    chosen = rules(project, include=("lookup/", "src/pkg/look.ipynb"), exclude=("src/other/",)).names()
    assert chosen == sorted({*USUAL, "lookup/table.csv", "src/pkg/look.ipynb"} - {"src/other/__init__.py"})


@pytest.mark.parametrize("pattern", [".env", "conf/local/", "**/credentials*"])
def test_what_never_goes_along_cannot_be_included(pattern: str, project: Path) -> None:
    assert rules(project, include=(pattern,)).names() == USUAL


@pytest.mark.parametrize("pattern", ["src/pkg/ignored.py", "data/", "nothing-here"])
def test_what_is_ignored_or_not_there_cannot_be_included(pattern: str, project: Path) -> None:
    with pytest.raises(ConfigError, match=r"code\.include"):
        rules(project, include=(pattern,)).names()


def test_a_link_out_of_the_project_is_refused(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.py"
    outside.write_text("CANARY")
    (project / "src/pkg/linked.py").symlink_to(outside)
    with pytest.raises(ConfigError, match=re.escape("src/pkg/linked.py")):
        rules(project).names()


SECRETS = {
    "aws.py": ('x = 1\nKEY = "AKIAQ3EGRJ5MTKS2ULIP"\n', 2, "AKIAQ3EGRJ5MTKS2ULIP"),
    "token.yml": ("a: 1\nb: 2\ntoken: ghp_abcdefghijklmnopqrstuvwxyz0123456789\n", 3, "ghp_abc"),
    "key.py": ('pem = """-----BEGIN RSA PRIVATE KEY-----\nabcd"""\n', 1, "BEGIN RSA"),
    "url.yml": ("con: postgresql://me:h0rse-battery@db/x\n", 1, "h0rse-battery"),
    "parameters.yml": ('db:\n  password: "tr0ub4dor&3"\n', 2, "tr0ub4dor"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_what_looks_like_a_secret_is_refused_by_file_and_line_and_never_shown(name: str, tmp_path: Path) -> None:
    text, line, secret = SECRETS[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as raised:
        refuse_secrets(tmp_path, [name])
    assert f"{name}, line {line}:" in str(raised.value)
    assert secret not in str(raised.value)


def test_a_line_that_is_let_through_and_what_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'KEY = "AKIAQ3EGRJ5MTKS2ULIP"  # pragma: allowlist secret\n'
        'password = os.environ["PASSWORD"]\ntoken_env = "MY_TOKEN"\n'
        'digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"\n'
    )
    (tmp_path / "b.yml").write_text("api:\n  key: ${oc.env:API_KEY}\n  password: ${oc.env:PASSWORD}\nrandom_state: 3\n")
    refuse_secrets(tmp_path, ["a.py", "b.yml"])
