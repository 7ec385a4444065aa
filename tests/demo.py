"""The main job on an embedded default: make the quickstart project, run it here, say where everything is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Make the project in a temporary folder and run its pipeline on this machine."""
    folder = Path(tempfile.mkdtemp(prefix="kedro-kubeflow-demo-"))
    # What a developer's shell sets for other projects is not for this one.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KEDRO_"))}
    environ = {**clean, "DO_NOT_TRACK": "1"}
    for words, cwd in (
        (["new", "--starter", "kubeflow-quickstart", "--name", "Penguins", "--telemetry", "no"], folder),
        (["kubeflow", "run-once", "--local"], folder / "penguins"),
    ):
        print("$ kedro", *words, flush=True)
        done = subprocess.run([sys.executable, "-m", "kedro", *words], cwd=cwd, env=environ, check=False)
        if done.returncode:
            return done.returncode
    print(f"The project is in {folder / 'penguins'}; it is yours to keep, or to delete.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
