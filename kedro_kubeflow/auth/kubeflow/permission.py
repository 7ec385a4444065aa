"""Kubeflow Pipelines knows who asks, and does not let them: who may not do what in which namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.answer import Answer
from kedro_kubeflow.errors import AuthError

# As KFP writes it: Go's form of a Kubernetes ResourceAttributes, at the end of its text.
_DENIED = re.compile(
    r"User '(?P<user>[^']*)' is not authorized with reason: *(?P<reason>.*?) *"
    r"\(request: &ResourceAttributes\{Namespace:(?P<namespace>[^,]*),Verb:(?P<verb>[^,]*),.*?"
    r"Resource:(?P<resource>[^,]*),.*?Name:(?P<name>[^,]*),"
)
# Where KFP keeps what belongs to no namespace.
_SHARED = "kubeflow"
# What KFP calls recurring runs in its permissions.
_CALLED = {"jobs": "recurring runs", "viewers": "viewers"}


@dataclass(frozen=True)
class Denied:
    """What is not allowed.

    Attributes:
        user: who asked, as the server knows them; empty where it does not say.
        namespace: where, likewise.
        action: as in "create runs", likewise.
        said: the server's words, where nothing else is known.
    """

    user: str = ""
    namespace: str = ""
    action: str = ""
    resource: str = ""
    reason: str = ""
    said: str = ""

    def error(self, where: str | None) -> PermissionDenied:
        """As people should read it."""
        if not self.user:
            return PermissionDenied(f"Kubeflow Pipelines does not let you: {self.said}", self, where=where, cure=_ASK)
        what = f"{self.user} may not {self.action}"
        if self.namespace:
            what += f" in the namespace {self.namespace!r}"
        if self.reason:
            what += f": {self.reason}"
        return PermissionDenied(what, self, where=where, cure=self._cure())

    def _cure(self) -> str:
        if account := re.fullmatch(r"system:serviceaccount:([^:]+):([^:]+)", self.user):
            if account[1] != self.namespace:
                return f"this token is of the namespace {account[1]!r}: check `namespace`, and `namespace` under `auth`"
            return f"the service account {account[2]!r} may not: take `default-editor`, or have its role widened"
        if self.resource == "pipelines" and self.namespace == _SHARED:
            return "a pipeline without a namespace is everybody's, and an administrator's to make and to delete"
        return _ASK


class PermissionDenied(AuthError):
    """The server knows who asks, and does not let them.

    Attributes:
        denied: what.
    """

    def __init__(self, what: str, denied: Denied, *, where: str | None = None, cure: str | None = None) -> None:
        super().__init__(what, where=where, cure=cure)
        self.denied = denied


_ASK = (
    "check `namespace` in kubeflow.yml (is it there?), or have its owner add this user as a contributor "
    "(Manage Contributors, in Kubeflow's dashboard)"
)


def permission_denied(answer: Answer, *secrets: str) -> Denied | None:
    """What KFP says that one may not; None where the answer is something else.

    Args:
        secrets: what it was sent, and so may have quoted.
    """
    if answer.status != 403 or not answer.by_kfp or "no user identity" in answer.message:
        return None
    found = _DENIED.search(answer.message)
    if not found:
        if not re.search(r"not authorized|PermissionDenied|permission", answer.message):
            return None
        return Denied(said=redacted(answer.message, *secrets))
    resource = _CALLED.get(found["resource"], found["resource"])
    return Denied(
        user=redacted(found["user"]),
        namespace=found["namespace"],
        action=f"{found['verb']} {resource}",
        resource=resource,
        reason=redacted(found["reason"], *secrets),
    )
