"""Programs of others that tests run on 127.0.0.1, kept outside of the checkout: an OpenID Connect provider, oauth2-proxy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("KEDRO_KUBEFLOW_TEST_TOOLS") or "~/.cache/kedro-kubeflow-tests").expanduser()
BUILD = "KEDRO_KUBEFLOW_BUILD_TEST_TOOLS"
PROVIDER = "oidc-provider@9"
PROXY = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def provider_folder() -> Path:
    """Where npm has put oidc-provider; it is put there once."""
    folder = FOLDER / "oidc-provider"
    if (folder / "node_modules" / "oidc-provider").is_dir():
        return folder
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not here: no real OpenID Connect provider")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PROVIDER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"npm gives no {PROVIDER}: {done.stderr.strip()[-200:]}")
    return folder


def proxy_program() -> Path:
    """oauth2-proxy; building it takes minutes, so that is done only when it is asked for."""
    program = FOLDER / "bin" / "oauth2-proxy"
    if program.is_file():
        return program
    if not os.environ.get(BUILD):
        pytest.skip(f"oauth2-proxy is not built: `tox -e logins` builds it once, into {FOLDER}")
    if not shutil.which("go"):
        pytest.skip("Go is not here: no real oauth2-proxy")
    env = {**os.environ, "GOBIN": str(program.parent)}
    done = subprocess.run(["go", "install", PROXY], env=env, capture_output=True, text=True, timeout=1500, check=False)
    if done.returncode:
        pytest.skip(f"oauth2-proxy cannot be built: {done.stderr.strip()[-200:]}")
    return program


@contextmanager
def running(command: list[str], ready: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """A program, until the block ends; it is there when an address answers."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        _await(ready, process, log)
        yield
    finally:
        process.kill()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < end and process.poll() is None:
        try:
            opener.open(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{process.args} is not there: {log.read_text('utf-8', 'replace')[-2000:]}")
