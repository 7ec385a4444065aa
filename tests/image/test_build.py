"""Images are built and pushed for real: buildah and a registry on loopback, from a root file system made here."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.errors import ConfigError, DependencyError, ImageError
from kedro_kubeflow.image.build import BuiltImage, build_image

HAS_TOOLS = (
    all(shutil.which(tool) for tool in ("buildah", "skopeo", "docker-registry"))
    and sys.platform == "linux"
    and os.getuid() == 0
)
real = pytest.mark.skipif(not HAS_TOOLS, reason="needs buildah, skopeo, docker-registry (from Debian) and root")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\nhttp:\n  addr: {address}\n"
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose image has no base: a file and nothing to run, which needs no sandbox of the kernel's."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text("kedro\n")
    (root / "Dockerfile").write_text("FROM scratch\nCOPY requirements.txt /requirements.txt\n")
    return root


@pytest.fixture
def buildah(registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buildah with a store of its own, that knows the registry."""
    registries = tmp_path / "registries.conf"
    registries.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    storage = tmp_path / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{tmp_path}/run"\ngraphroot = "{tmp_path}/graph"\n')
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(registries))
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")


def config(**image: object) -> KubeflowConfig:
    return read_config({"image": image})


@real
@pytest.mark.usefixtures("buildah")
def test_built_pushed_and_not_built_again(project: Path, registry: str) -> None:
    where = f"{registry}/team/penguins:latest"
    first = build_image(project, config(builder="buildah"), image=where)
    assert first.built
    assert first.tag.startswith(f"{registry}/team/penguins:")
    assert first.image.startswith(f"{registry}/team/penguins@sha256:")
    tag = first.tag.rpartition(":")[2]
    request = urllib.request.Request(
        f"http://{registry}/v2/team/penguins/manifests/{tag}",
        headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Docker-Content-Digest"] == first.image.partition("@")[2]
        assert json.load(answer)["schemaVersion"] == 2
    again = build_image(project, config(builder="buildah"), image=where)
    assert again == BuiltImage(first.image, first.tag, built=False)
    (project / "requirements.txt").write_text("kedro\nmlflow\n")
    assert build_image(project, config(builder="buildah"), image=where).built


@real
@pytest.mark.usefixtures("buildah")
def test_a_build_that_fails_says_why(project: Path, registry: str) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nCOPY missing /x\n")
    with pytest.raises(ImageError, match=r"build of .* failed") as raised:
        build_image(project, config(builder="buildah"), image=f"{registry}/p:1")
    assert "missing" in str(raised.value)


def test_a_command_of_ones_own_gets_what_it_needs(project: Path, tmp_path: Path) -> None:
    script = tmp_path / "cloud.py"
    script.write_text("import json, sys\nprint('building')\njson.dump(sys.argv[1:], open('said.json', 'w'))\n")
    words = [
        sys.executable,
        str(script),
        "submit",
        "--tag={image}",
        "{context}",
        "{dockerfile}",
        "--platform",
        "{platform}",
    ]
    done = build_image(project, config(builder=words, platform="linux/arm64"), image="eu.example.com/x/p")
    assert done.built
    assert done.image == done.tag
    said = json.loads((project / "said.json").read_text())
    assert said == [
        "submit",
        f"--tag={done.tag}",
        str(project),
        str(project / "Dockerfile"),
        "--platform",
        "linux/arm64",
    ]


def test_what_is_wrong_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="No image is configured"):
        build_image(project, config())
    with pytest.raises(ConfigError, match="stands for nothing"):
        config(builder=["x", "{image}", "{tag}"])
    with pytest.raises(ImageError, match="cannot be started"):
        build_image(project, config(builder=["no-such-program", "{image}"]), image="p")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DependencyError, match="None of docker, podman and buildah"):
        build_image(project, config(), image="p")
