"""``kedro-kubeflow …``: the same commands for scripts; standard output holds nothing but a command's result.

Kedro writes a line of its log to standard output before it knows of plugins, and what a project imports may print. Here
results go out by a stream of their own, and the process's standard output is its standard error.
"""

from __future__ import annotations

import importlib
import os
import sys


def main() -> None:
    """Run a command."""
    results = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, buffering=1)
    sys.stdout.flush()
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # Sets logging up, and says so.
    importlib.import_module("kedro.framework.project")
    from kedro_kubeflow.cli import kubeflow

    sys.stdout = results
    kubeflow(prog_name="kedro-kubeflow")


if __name__ == "__main__":
    main()
