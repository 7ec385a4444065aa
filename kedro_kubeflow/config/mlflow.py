"""``run_config.mlflow``: how the steps of a pipeline share one MLflow run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kedro_kubeflow.config.model import Model


class MlflowConfig(Model):
    """How the steps of a pipeline share one MLflow run."""

    enabled: bool | Literal["auto"] = "auto"
    """`auto`: one MLflow run where kedro-mlflow is installed and tracks the pipeline. `true`: also with MLflow alone.
    `false`: never."""

    close_run: Literal["exit_handler", "last_task"] = "exit_handler"
    """Who writes the run's final status. `exit_handler`: an exit task, which also runs after a kill or a termination;
    the nodes then stand one level deeper in the Kubeflow UI. `last_task`: a last step and the failing step itself; the
    graph stays flat, but the status stays RUNNING when a pod is killed from outside."""

    kfp_native: Literal["auto", "adopt", "ignore"] = "auto"
    """What to do where Kubeflow Pipelines' own MLflow plugin has made a run already. `adopt` it, `ignore` it, or `auto`:
    adopt it if it is there."""

    mark_success: Literal["auto", "always", "never"] = "auto"
    """Whether a task of its own, `mlflow-mark-success`, says that all steps have succeeded; without it, the step that ends last
    does, and the run is some 20 to 30 s shorter. `auto`: where a step may be taken from the cache, with `close_run:
    last_task`, and in pipelines of more than 20 tasks, whose states Kubeflow Pipelines does not tell. `never` can leave a run
    FAILED that was retried, or taken from the cache, and went well (`kedro kubeflow status RUN --repair` mends that), and with
    `last_task` a run FINISHED whose last step was killed while its outputs were uploaded."""

    metrics_artifact: Literal["auto", "all", "none"] = "auto"
    """Which steps have an artifact `mlflow-metrics` with the metrics that they log to MLflow, for the Kubeflow UI's page that
    compares runs. `auto`: those with a metrics dataset."""

    request_header_provider_params: dict[str, Any] = Field(default_factory=dict)
    """Values for MLflow request header providers, where `init_kwargs` of mlflow.yml has none."""
