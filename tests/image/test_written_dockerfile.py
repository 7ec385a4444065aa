"""The Dockerfile that `init` writes, really built, and a step run in it.

In place of Docker's own image of Python stands a root file system that is made here: Debian's, and the Python of this process.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
TOOLS = ("buildah", "debootstrap", "ldd")
pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        sys.platform != "linux" or os.getuid() != 0 or not all(map(shutil.which, TOOLS)),
        reason=f"needs {', '.join(TOOLS)} (from Debian), root, and a network",
    ),
]
HERE = Path(__file__).parents[2]


def run(*words: str | Path, **more: object) -> str:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where images are kept, apart from this machine's own."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n'
    )
    (folder / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        patch.setenv("BUILDAH_ISOLATION", "chroot")
        yield folder
        subprocess.run(["buildah", "rm", "--all"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def base(store: Path) -> str:
    """What the Dockerfile begins with."""
    root = store / "root"
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    run("debootstrap", "--variant=minbase", release, root)
    _put_python(root)
    authorities = Path(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or "")
    (root / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    shutil.copy(authorities, root / "etc/ssl/certs/authorities.crt")
    # Not released yet, as far as this test knows.
    run(sys.executable, "-m", "build", "--wheel", "--outdir", root / "wheels", HERE)
    container = run("buildah", "from", "scratch").strip()
    run("buildah", "add", container, root, "/")
    variables = {
        "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SSL_CERT_FILE": "/etc/ssl/certs/authorities.crt",
        "PIP_CERT": "/etc/ssl/certs/authorities.crt",
        "UV_FIND_LINKS": "/wheels",
    }
    for name, value in variables.items():
        run("buildah", "config", "--env", f"{name}={value}", container)
    run("buildah", "commit", "--quiet", "--format", "docker", container, f"docker.io/library/python:{VERSION}-slim")
    shutil.rmtree(root)
    return VERSION


def _put_python(root: Path) -> None:
    source, target = Path(sys.base_prefix), root / "usr/local"
    library = f"lib/python{VERSION}"
    left = shutil.ignore_patterns("site-packages", "test", "__pycache__", "idlelib", "config-*")
    shutil.copytree(source / library, target / library, ignore=left, dirs_exist_ok=True)
    (target / library / "site-packages").mkdir(exist_ok=True)
    (target / "bin").mkdir(exist_ok=True)
    shutil.copy(source / f"bin/python{VERSION}", target / "bin")
    for name in ("python", "python3"):
        (target / "bin" / name).symlink_to(f"python{VERSION}")
    files = [target / f"bin/python{VERSION}", *(target / library / "lib-dynload").glob("*.so")]
    said = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True, check=False).stdout
    for found in {Path(path) for path in re.findall(r"=> (/\S+)", said)}:
        # Of libraries that Debian has nothing is replaced; Python's own goes where everybody may read it.
        if found.is_relative_to(source):
            shutil.copy(found, target / "lib")
        elif not (root / str(found).lstrip("/")).exists():
            (root / str(found.parent).lstrip("/")).mkdir(parents=True, exist_ok=True)
            shutil.copy(found, root / str(found).lstrip("/"))
    run("chroot", root, "/sbin/ldconfig")
    run("chroot", root, f"/usr/local/bin/python{VERSION}", "-m", "ensurepip")
    (target / "bin/pip").unlink(missing_ok=True)
    (target / "bin/pip").symlink_to("pip3")


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    made = make_project(tmp_path / "demo", kubeflow={"run_config": {"image": "demo:1", "mlflow": {"enabled": False}}})
    made.write("conf/local/credentials.yml", "db: CANARY\n")
    made.write(".env", "CANARY=1\n")
    made.write("data/08_reporting/old.json", "{}")
    run("git", "init", "-q", made.path)
    return made


def requires(project: KedroProject, how: str) -> None:
    """Let the project say in one of three ways what it requires."""
    if how == "requirements.txt":
        project.write("requirements.txt", "kedro-kubeflow\n")
        return
    file = project.path / "pyproject.toml"
    said = f'dependencies = ["kedro-kubeflow"]\nrequires-python = "=={VERSION}.*"\n'
    file.write_text(file.read_text().replace('version = "0.1"\n', f'version = "0.1"\n{said}'))
    if how == "uv.lock":
        wheels = project.path.parent / "wheels"
        run(sys.executable, "-m", "build", "--wheel", "--outdir", wheels, HERE)
        run(sys.executable, "-m", "uv", "lock", "--find-links", wheels, cwd=project.path)
        lock = project.path / "uv.lock"
        lock.write_text(
            lock.read_text().replace(os.path.relpath(wheels, project.path), "/wheels").replace(str(wheels), "/wheels")
        )


@pytest.mark.parametrize("how", ["requirements.txt", "pyproject.toml", "uv.lock"])
def test_it_is_built_and_a_step_runs_in_it(base: str, project: KedroProject, how: str) -> None:
    requires(project, how)
    project.kubeflow("init", "--with-dockerfile", "--with-raw-data").ok()
    run("buildah", "build", "--pull-never", "--network", "host", "--tag", "demo:1", project.path)
    container = run("buildah", "from", "--pull-never", "localhost/demo:1").strip()

    def inside(*words: str) -> str:
        return run("buildah", "run", container, "--", *words)

    assert inside("id", "-u").strip() == "1000"
    files = inside("find", ".", "-type", "f", "-not", "-path", "./.venv/*").split()
    assert "./src/demo/pipelines/main/__init__.py" in files
    assert any(name.startswith("./src/demo/__pycache__/settings.") for name in files)
    assert [name for name in files if name.startswith("./data/")] == ["./data/01_raw/raw.json"]
    assert not [name for name in files if name.startswith(("./conf/local", "./.git", "./.env"))]
    where = inside("python", "-c", "import kedro; print(kedro.__path__[0])").strip()
    assert inside("find", where, "-name", "*.pyc")
    message = {
        "inputs": {"parameterValues": {"limit": 3}},
        "outputs": {
            "artifacts": {"rows": {"artifacts": [{"uri": "/tmp/rows", "type": {"schemaTitle": "system.Dataset"}}]}},
            "outputFile": "/tmp/executor_output.json",
        },
    }
    words = ["run", "--step", "prepare", "--outputs", "rows:memory", "--parameters", "limit:int"]
    inside("python", "-m", "kedro_kubeflow.runtime", *words, "--executor-input", json.dumps(message))
    assert '"rows"' in inside("cat", "/tmp/executor_output.json")
