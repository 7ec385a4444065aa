"""A person's login at a target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login that was begun.

    Attributes:
        issuer: the provider that one logged in at.
        user: who one is there.
        host: the target that takes the login; None where none is configured.
        server_user: who one is at the target, where it has users.
        expires_at: in seconds since 1970; infinite where it is not known.
        renewed: whether it is renewed by itself.
    """

    issuer: str
    user: str
    host: str | None
    server_user: str | None
    expires_at: float
    renewed: bool


@dataclass(frozen=True, kw_only=True)
class Logout:
    """A login that is over; ``was`` says whether there was one."""

    issuer: str
    was: bool
