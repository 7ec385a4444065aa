"""Workflows for continuous deployment: test, check, build and push the image, upload the pipeline.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax, https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import Literal

Service = Literal["github", "gitlab"]

TARGETS: dict[Service, str] = {"github": ".github/workflows/kubeflow.yml", "gitlab": ".gitlab-ci.yml"}


def workflow_text(service: Service) -> str:
    """The workflow of a new project, for the Python that runs this."""
    template = files("kedro_kubeflow").joinpath(f"templates/ci/{service}.yml").read_text("utf-8")
    return template.replace("@python@", f"{sys.version_info.major}.{sys.version_info.minor}")
