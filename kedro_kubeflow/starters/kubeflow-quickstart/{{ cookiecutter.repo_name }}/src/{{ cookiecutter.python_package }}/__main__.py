"""Makes the package executable, as `{{ cookiecutter.repo_name }}` and `python -m {{ cookiecutter.python_package }}`."""

import sys
from pathlib import Path
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*args, **kwargs) -> Any:
    """Run the project as `kedro run` does."""
    package_name = Path(__file__).parent.name
    configure_project(package_name)

    kwargs["standalone_mode"] = not hasattr(sys, "ps1")  # not in an interactive session

    run = find_run_command(package_name)
    return run(*args, **kwargs)


if __name__ == "__main__":
    main()
