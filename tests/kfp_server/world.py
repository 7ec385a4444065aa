"""What all stores of the stand-in share: its options, its clock, its ids."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kfp_server.refusal import Refusal, invalid, not_found

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass
class Clock:
    """Whole seconds, as KFP's database keeps them; every look at it is a second later unless it is frozen."""

    now: datetime.datetime = datetime.datetime(2026, 1, 5, 8, 0, 0, tzinfo=datetime.timezone.utc)
    frozen: bool = False

    def tick(self) -> str:
        if not self.frozen:
            self.now += datetime.timedelta(seconds=1)
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Options:
    """How the server was set up by its administrator."""

    store: Literal["database", "kubernetes"] = "database"
    multi_user: bool = False
    tags: bool = True
    """False: a server from before tags and display names of pipelines."""
    max_upload: int = 32 << 20
    namespaces: frozenset[str] = frozenset({"team-a", "team-b"})
    """Where the user may work, in multi-user mode."""
    serves_logs: bool = True
    """False: pods are gone, and nothing was archived."""
    face: Literal["api", "ui"] = "api"
    """What is reached: the API server, or the UI's server, which hands `/apis/v2beta1` on to it and has paths of its own."""
    charset: str = "utf-8"
    """Of the database: text beyond it is refused after the work was done."""


@dataclass
class World:
    """Options, clock and ids."""

    options: Options = field(default_factory=Options)
    clock: Clock = field(default_factory=Clock)

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def authorize(self, namespace: str, *, shared: bool = False) -> str:
        """The namespace to work in.

        Args:
            shared: whether an empty namespace, common to all users, will do.
        """
        if not self.options.multi_user:
            return ""
        if not namespace and shared:
            return ""
        if not namespace:
            raise invalid("A namespace is required in multi-user mode")
        if namespace not in self.options.namespaces:
            raise Refusal(
                "PERMISSION_DENIED",
                "Failed to authorize the request: PermissionDenied: User 'someone@example.com' is not authorized with reason:  "
                f"(request: &ResourceAttributes{{Namespace:{namespace},Verb:get,Group:pipelines.kubeflow.org,Version:v1beta1,"
                "Resource:runs,Subresource:,Name:,FieldSelector:nil,LabelSelector:nil,}): Unauthorized access",
            )
        return namespace


def found(entries: Mapping[str, dict[str, Any]], kind: str, key: str, way: str = "") -> dict[str, Any]:
    """An entry by its id.

    Args:
        way: what the server says on its way to the reason; `{key}` stands for the id.
    """
    if key not in entries:
        raise not_found(kind, key, way.replace("{key}", key))
    return entries[key]


def check_length(what: str, value: str, most: int) -> None:
    if len(value) > most:
        raise invalid(f"{what} length cannot exceed {most}")


def check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > 20:
        raise invalid(f"Too many tags: {len(tags)}, the most is 20")
    for key, value in tags.items():
        if not key or "." in key or len(key) > 63 or len(value) > 63:
            raise invalid(f"Invalid tag {key!r}: keys are not empty, have no '.', and 63 characters are the most")
