"""What Vertex AI Pipelines cannot do, and why; what pipelines may not ask of it is refused in `adapt`."""

from __future__ import annotations

from collections.abc import Mapping

from kedro_kubeflow.targets.base.target import Reason

_NO_PIPELINES = Reason(
    "no pipelines are uploaded there",
    what="Vertex AI Pipelines holds no uploaded pipelines",
    cure="`run-once` and `schedule` submit the pipeline itself; `compile` writes the file that the console takes",
)

CANNOT: Mapping[str, Reason] = {
    "upload": _NO_PIPELINES,
    "pipelines": _NO_PIPELINES,
    "from_version": _NO_PIPELINES,
    "experiment_namespace": Reason("there are no namespaces there"),
    "login": Reason(
        "gcloud does that",
        what="Vertex AI Pipelines takes Google's own logins",
        cure="gcloud auth application-default login",
    ),
    "pending_timeout": Reason("it does not tell what a step waits for"),
    "logs": Reason(
        "Cloud Logging keeps them",
        what="Vertex AI Pipelines gives no logs of its own: Cloud Logging keeps them",
        cure="open the job in the console, whose link `status` prints",
    ),
    "repair": Reason("its exit task is told the truth, and run"),
    "retry": Reason(
        "a job there cannot be taken up again",
        what="Vertex AI Pipelines cannot take a job up again",
        cure="start a new one with `run-once`; steps with `cache` whose inputs are the same are not run again",
    ),
}

# Of a schedule's configuration; `catchup` where it is asked for.
SCHEDULE: Mapping[str, str] = {
    "interval": "it starts runs by cron expressions only: write `cron`",
    "version": "no pipelines are uploaded there: the schedule holds the pipeline itself",
    "catchup": "missed runs are not made up for",
    "experiment_name": "its runs are not filed under experiments",
}
