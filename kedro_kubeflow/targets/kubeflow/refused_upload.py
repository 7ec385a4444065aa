"""A refused upload, explained: a server with several users answers 400 and gives no reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kfp_server_api import ApiException

from kedro_kubeflow.errors import AuthError, ServerError
from kedro_kubeflow.targets.kubeflow.fate import grpc_body
from kedro_kubeflow.targets.kubeflow.rights import rights
from kedro_kubeflow.targets.kubeflow.server import Server

_NO_REASON = ("Failed to create a pipeline", "Failed to create a pipeline version")


@contextmanager
def explained(server: Server) -> Iterator[None]:
    """Ask what one may do, where an upload is refused without a reason.

    Raises:
        AuthError: the server does not know who asks, or they may not.
        ServerError: they may; then there is another reason.
    """
    try:
        yield
    except ApiException as error:
        said = grpc_body(error).get("error_message")
        if error.status != 400 or said not in _NO_REASON or not server.multi_user:
            raise
        raise _reason(server) from error


def _reason(server: Server) -> AuthError | ServerError:
    if server.shares_pipelines or server.namespace is None:
        return ServerError(
            "Could not upload the pipeline: the server refuses it and gives no reason",
            where=server.address.host,
            cure="pipelines for everybody (`pipeline.shared`) are an administrator's to allow; without it, they go to "
            "`namespace`",
        )
    found = rights(server, server.namespace)
    if found.denied:
        return found.denied
    return ServerError(
        "Could not upload the pipeline: the server refuses it and gives no reason; "
        f"you may view the namespace {found.namespace!r}",
        where=server.address.host,
        cure="most likely you may not upload there: have its owner add you as a contributor who may edit (Manage "
        "Contributors, in Kubeflow's dashboard)",
    )
