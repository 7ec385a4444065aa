"""Take the pictures of the MLflow UI: ``python docs/pictures.py`` (Chromium must be installed).

Makes the quickstart project in a temporary folder, runs it on this machine, once well and once with a parameter that a node
refuses, against a real MLflow server, and photographs the pages of the two runs.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

IMAGES = Path(__file__).parent / "images"
HOST = "https://kubeflow.example.com/pipeline"
WELL, FAILING = (), ("--params", "random_forest.model_options.estimator=forest")
SIZE = (1280, 1160)


def main() -> None:
    """Take both pictures."""
    folder = Path(tempfile.mkdtemp(prefix="kedro-kubeflow-pictures-"))
    try:
        with mlflow_server(folder / "server") as uri:
            project = quickstart(folder, uri)
            for words, picture in ((WELL, "mlflow-run.png"), (FAILING, "mlflow-run-failed.png")):
                run = run_here(project, *words)
                # As a server of one's own has it: not on localhost, where MLflow opens its assistant.
                server = uri.replace("127.0.0.1", "mlflow.localhost")
                page = (
                    f"{server}/#/experiments/{run['experiment_id']}/runs/{run['run_id']}?workflowType=machine_learning"
                )
                photograph(page, IMAGES / picture, folder / "browser")
                print(f"{IMAGES / picture}: {run['status']}")
    finally:
        shutil.rmtree(folder)


def clean_environment() -> dict[str, str]:
    """Without what the shell sets for other projects."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KEDRO_"))}, "DO_NOT_TRACK": "1"}


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """A tracking server of its own, on a free port."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--allowed-hosts", "*", "--cors-allowed-origins", "*"),
            *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ],
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)


def wait_for(url: str) -> None:
    """Return when the address answers."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(url)


def quickstart(folder: Path, uri: str) -> Path:
    """The quickstart project, which logs to that server."""
    kedro(folder, "new", "--starter", "kubeflow-quickstart", "--name", "Penguins", "--telemetry", "no")
    conf = folder / "penguins/conf/base"
    mlflow = yaml.safe_load((conf / "mlflow.yml").read_text("utf-8"))
    mlflow["server"]["mlflow_tracking_uri"] = uri
    mlflow["tracking"]["run"] = {"name": "penguins"}
    (conf / "mlflow.yml").write_text(yaml.safe_dump(mlflow), "utf-8")
    kubeflow = yaml.safe_load((conf / "kubeflow.yml").read_text("utf-8"))
    (conf / "kubeflow.yml").write_text(yaml.safe_dump({**kubeflow, "host": HOST}), "utf-8")
    return folder / "penguins"


def run_here(project: Path, *words: str) -> dict[str, str]:
    """Run the pipeline; what became of the MLflow run."""
    printed = kedro(project, "kubeflow", "run-once", "--local", "--output", "json", *words)
    found: dict[str, str] = json.loads(printed[printed.index("{\n") :])["mlflow"]
    return found


def kedro(folder: Path, *words: str) -> str:
    """A command's standard output; a pipeline may fail, that is one of the pictures."""
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *words],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout


def photograph(page: str, picture: Path, profile: Path) -> None:
    """A page as a browser shows it that nobody sits at."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    shutil.rmtree(profile, ignore_errors=True)
    subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}"),
            *("--virtual-time-budget=15000", f"--screenshot={picture}", page),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
        timeout=300,
    )


if __name__ == "__main__":
    main()
