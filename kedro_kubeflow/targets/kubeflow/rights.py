"""What one may do in a namespace, as far as KFP tells it without doing it.

KFP has no request that asks for it. What one may see is tried by listing. What one may make is tried by making something
whose name is taken: the server first looks at the right (403), then at the name (409), and nothing is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kfp_server_api import ApiException

from kedro_kubeflow.auth.kubeflow.permission import PermissionDenied
from kedro_kubeflow.targets.kubeflow.fate import is_conflict
from kedro_kubeflow.targets.kubeflow.server import Server

# A name that nobody has: who asks for it is told who they are.
NO_NAMESPACE = "kedro-kubeflow-asks-who-you-are"


@dataclass(frozen=True)
class Rights:
    """What one may do in a namespace; None where that shows only when it is done.

    Attributes:
        run: make experiments and runs.
        upload: make pipelines and their versions.
        denied: the refusal, of the upload if there are several.
    """

    namespace: str
    view: bool
    run: bool | None
    upload: bool | None
    denied: PermissionDenied | None = None


def user_of(server: Server) -> str | None:
    """Who one is to a server with several users; None where it does not say.

    Raises:
        AuthError: nobody.
    """
    try:
        with server.errors("ask who you are"):
            server.runs.run_service_list_runs(namespace=NO_NAMESPACE, page_size=1)
    except PermissionDenied as error:
        return error.denied.user or None
    return None


def rights(server: Server, namespace: str) -> Rights:
    """What one may do in a namespace of a server with several users.

    Raises:
        AuthError: the server does not know who asks.
        ApiException, OSError: as the generated client lets them out.
    """
    try:
        server.runs.run_service_list_runs(namespace=namespace, page_size=1)
    except PermissionDenied as error:
        return Rights(namespace, view=False, run=False, upload=False, denied=error)
    run = _may(lambda: _taken_experiment(server, namespace), server.experiments.experiment_service_create_experiment)
    upload = _may(lambda: _taken_pipeline(server, namespace), server.pipelines.pipeline_service_create_pipeline)
    denied = next((right for right in (upload, run) if isinstance(right, PermissionDenied)), None)
    return Rights(namespace, view=True, run=_known(run), upload=_known(upload), denied=denied)


def _may(taken: Callable[[], Mapping[str, str] | None], make: Callable[..., Any]) -> bool | PermissionDenied | None:
    try:
        body = taken()
        if body is None:
            return None
        make(dict(body))
    except PermissionDenied as error:
        return error
    except ApiException as error:
        if not is_conflict(error):
            raise
    return True


def _known(right: bool | PermissionDenied | None) -> bool | None:
    return False if isinstance(right, PermissionDenied) else right


def _taken_experiment(server: Server, namespace: str) -> Mapping[str, str] | None:
    answer = server.experiments.experiment_service_list_experiments(namespace=namespace, page_size=1)
    names = [entry.display_name for entry in answer.experiments or ()]
    return {"display_name": names[0], "namespace": namespace} if names else None


def _taken_pipeline(server: Server, namespace: str) -> Mapping[str, str] | None:
    answer = server.pipelines.pipeline_service_list_pipelines(namespace=namespace, page_size=1)
    for entry in answer.pipelines or ():
        name = getattr(entry, "name", None) or entry.display_name
        return {"name": name, "display_name": entry.display_name or name, "namespace": namespace}
    return None
