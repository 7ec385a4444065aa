"""How long nodes took on the cluster, for `grouping: auto`: asked of MLflow, where it answers quickly."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from urllib.parse import urlsplit

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.node_times import newest
from kedro_kubeflow.targets.base.mlflow_here import mlflow_address

_SECONDS = 2.0
"""How long the server may take to accept a connection, and to answer a request; there are two."""


def with_times_of_mlflow(facts: Facts, config: KubeflowConfig) -> Facts:
    """The facts with what MLflow knows of nodes' times; where it could not be asked, with a note of that.

    Only for a grouping that goes by time, and only of a server: what lies in a file here, runs of this machine have written.
    """
    if config.run_config.grouping.by != "auto":
        return facts
    uri = mlflow_address(facts.project, config)
    if urlsplit(uri or "").scheme not in ("http", "https"):
        return facts
    from kedro_kubeflow.tracking.server import shown

    try:
        return _asked(facts, config, str(uri))
    except Exception as error:
        # Whatever keeps this machine from it: what is known here is enough.
        why = error.what if isinstance(error, KedroKubeflowError) else type(error).__name__
        note = (
            f"`grouping: auto` goes by what runs on this machine have timed: MLflow at {shown(str(uri))} cannot be asked "
            f"({' '.join(why.split())[:200]})"
        )
        return replace(facts, notes=(*facts.notes, note))


def _asked(facts: Facts, config: KubeflowConfig, uri: str) -> Facts:
    from kedro_kubeflow.tracking.node_times import told_node_times
    from kedro_kubeflow.tracking.plain_requests import PlainRequests
    from kedro_kubeflow.tracking.server import await_server

    await_server(uri, _SECONDS)
    # What is logged meanwhile must not get between what is printed for programs.
    with contextlib.redirect_stdout(sys.stderr):
        told = told_node_times(PlainRequests(facts.project, uri, _SECONDS), _experiment(facts, config))
    return replace(facts, node_times=newest((facts.node_times, told)))


def _experiment(facts: Facts, config: KubeflowConfig) -> str:
    """The experiment that steps log to, as far as that can be told here."""
    from kedro_kubeflow.project.mlflow_plugin import mlflow_section

    section = (mlflow_section(facts.project.config_loader()).get("tracking") or {}).get("experiment") or {}
    named = section.get("name") if facts.mlflow.installed else None
    usual = config.run_config.experiment_name or facts.project.name
    return str(named or os.environ.get("MLFLOW_EXPERIMENT_NAME") or ("Default" if facts.mlflow.installed else usual))
