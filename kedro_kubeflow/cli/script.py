"""``kedro-kubeflow …``: the same commands for scripts; standard output holds nothing but a command's result.

`kedro kubeflow …` keeps standard output for results, too; but before it knows of plugins,
Kedro has written a line of its log there.
"""

from __future__ import annotations

import importlib
import os
import sys

from kedro_kubeflow.cli.exits import CommandError
from kedro_kubeflow.errors import ConfigError, described
from kedro_kubeflow.standard_output import keep


def main() -> None:
    """Run a command."""
    keep()
    try:
        _set_logging_up()
    except ConfigError as error:
        refused = CommandError(error)
        refused.show()
        sys.exit(refused.exit_code)
    from kedro_kubeflow.cli import kubeflow

    kubeflow(prog_name="kedro-kubeflow")


def _set_logging_up() -> None:
    """Kedro does so when it is imported, and says so.

    Raises:
        ConfigError: it does not take the project's logging.yml; `kedro` itself ends with a traceback then.
    """
    try:
        importlib.import_module("kedro.framework.project")
    except Exception as error:
        raise ConfigError(
            f"Kedro cannot set logging up: {described(error)}",
            where=os.environ.get("KEDRO_LOGGING_CONFIG") or "conf/logging.yml",
            cure="mend that file: no kedro command and no step works with it (https://docs.kedro.org/en/stable/develop/logging/)",
        ) from error


if __name__ == "__main__":
    main()
