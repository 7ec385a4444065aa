"""The project starters that come with the package, for `kedro new --starter <alias>`.

Each is a cookiecutter template in a folder beside this file, so `kedro new` needs neither git nor a network:
https://docs.kedro.org/en/stable/create/new_project_starters/
"""

from __future__ import annotations

from pathlib import Path

from kedro.framework.cli.starters import KedroStarterSpec

_HERE = Path(__file__).resolve().parent

starters: list[KedroStarterSpec] = [
    KedroStarterSpec(alias="kubeflow-quickstart", template_path=str(_HERE / "kubeflow-quickstart")),
]
