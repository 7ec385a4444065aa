"""``kedro-kubeflow …``: the same commands for scripts; standard output holds nothing but a command's result.

`kedro kubeflow …` keeps standard output for results, too; but before it knows of plugins,
Kedro has written a line of its log there.
"""

from __future__ import annotations

import importlib

from kedro_kubeflow.standard_output import keep


def main() -> None:
    """Run a command."""
    keep()
    # Sets logging up, and says so.
    importlib.import_module("kedro.framework.project")
    from kedro_kubeflow.cli import kubeflow

    kubeflow(prog_name="kedro-kubeflow")


if __name__ == "__main__":
    main()
