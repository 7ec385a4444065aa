"""A password in the MLflow server's address is moved to where no log shows it, before anybody reads the address."""

from __future__ import annotations

import logging
import os
from typing import Any

from kedro.framework.hooks import hook_impl

from kedro_kubeflow.auth.mlflow.address import URI, move_credentials, without_credentials
from kedro_kubeflow.project.mlflow_plugin import MLFLOW_PATTERNS

log = logging.getLogger(__name__)


def part_variable() -> None:
    """Part the address in ``MLFLOW_TRACKING_URI``."""
    if uri := os.environ.get(URI):
        os.environ[URI] = move_credentials(os.environ, uri)


class BareAddress:
    """Parts the address in mlflow.yml, before kedro-mlflow's hook reads it."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Any) -> None:
        """Kedro calls this once a session."""
        loader = context.config_loader
        if hasattr(loader, "config_patterns"):
            loader.config_patterns.setdefault("mlflow", MLFLOW_PATTERNS)
        try:
            section = loader["mlflow"]
        except Exception as error:
            # Missing or malformed: kedro-mlflow, if it is there, says so in its own words.
            log.debug("mlflow.yml is not looked at: %s", type(error).__name__)
            return
        if cleaned := without_credentials(section, os.environ):
            loader["mlflow"] = cleaned
