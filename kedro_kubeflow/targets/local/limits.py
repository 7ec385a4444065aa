"""What runs on this machine do not have, and why."""

from __future__ import annotations

from collections.abc import Mapping

from kedro_kubeflow.targets.base.target import Reason

_NO_SERVER = Reason("there is no server that would keep any")
_ATTACHED = Reason("a run here lasts as long as the command that starts it")

CANNOT: Mapping[str, Reason] = {
    "upload": Reason(
        "there is no server that would keep any",
        what="This machine keeps no uploaded pipelines",
        cure="`compile` writes the pipeline into a file; --target names the server to upload it to",
    ),
    "pipelines": Reason("there is no server that would keep any", what="This machine keeps no uploaded pipelines"),
    "from_version": Reason("this machine keeps no uploaded pipelines"),
    "experiment_name": Reason("there are no experiments of runs here; MLflow's is named in mlflow.yml"),
    "experiment_namespace": Reason("there are no namespaces here"),
    "service_account": Reason("steps run as you"),
    "run_name": Reason("a run here is called by its pipeline and its time"),
    "wait_for_completion": _ATTACHED,
    "timeout": _ATTACHED,
    "pending_timeout": _ATTACHED,
    "terminate_on_interrupt": _ATTACHED,
    "repair": Reason("the command that starts a run here closes its MLflow run"),
    "retry": Reason(
        "a run here cannot be taken up again",
        what="A run on this machine cannot be taken up again",
        cure="run it anew: results of steps with `cache` whose inputs are the same are not made again",
    ),
    "login": Reason("you are here already", what="Nobody needs to log in at this machine"),
    "schedules": Reason(
        "nothing here runs when you are away",
        what="This machine has no schedules",
        cure="let cron or a CI service start `kedro kubeflow run-once --local`, or name a server with --target",
    ),
}
