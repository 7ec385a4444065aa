"""``auth``: how to authenticate with Kubeflow Pipelines. Secrets stand here by reference only."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from kedro_kubeflow.config.model import Model
from kedro_kubeflow.errors import did_you_mean

ENTRY_POINTS = "kedro_kubeflow.auth"
PIPELINES_TOKEN = "/var/run/secrets/kubeflow/pipelines/token"  # noqa: S105 - a path, where KFP's own client looks too
_BY_REFERENCE = "secrets are given by reference only: `env: NAME`, `file: PATH` or `command: [PROGRAM, …]`"


class Secret(Model):
    """Where a secret is: exactly one of the keys."""

    env: str | None = None
    """The name of an environment variable."""

    file: str | None = None
    """The path of a file; it is read for each request, so that a rotated secret is seen."""

    command: tuple[str, ...] | None = None
    """A program and its arguments, as a list or as one string that is split as a shell would (no shell is started); its
    output is the secret."""

    ttl: float = 300.0
    """For how many seconds a command's output holds where it is no JSON Web Token that says so itself."""

    @model_validator(mode="before")
    @classmethod
    def _reference(cls, value: Any) -> Any:
        # Said without the value: pydantic's own messages would quote a secret that was written out.
        if isinstance(value, Secret):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(_BY_REFERENCE)
        if sum(value.get(key) is not None for key in ("env", "file", "command")) != 1:
            raise ValueError(f"exactly one is needed; {_BY_REFERENCE}")
        return value

    @field_validator("env", mode="before")
    @classmethod
    def _env(cls, value: Any) -> Any:
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(value)):
            raise ValueError("the name of an environment variable is needed here, not its value")
        return value

    @field_validator("command", mode="before")
    @classmethod
    def _command(cls, value: Any) -> Any:
        argv = shlex.split(value) if isinstance(value, str) else value
        if argv is not None and (not isinstance(argv, list | tuple) or not argv):
            raise ValueError("a program and its arguments are needed here")
        return argv if argv is None else [str(argument) for argument in argv]

    def __str__(self) -> str:
        if self.env:
            return f"environment variable {self.env}"
        # Arguments may hold what nobody should read.
        return f"file {self.file}" if self.file else f"command {self.command[0] if self.command else ''}"

    __repr__ = __str__


class NoAuth(Model):
    """Nothing is sent: for a port-forward, or a server without authentication."""

    type: Literal["none"]


class BearerAuth(Model):
    """A bearer token."""

    type: Literal["bearer"]
    token: Secret
    """The token."""
    scheme: str = "Bearer"
    """What stands before the token in the header."""


class BasicAuth(Model):
    """A user name and a password, sent with each request."""

    type: Literal["basic"]
    username: str | Secret
    """The user."""
    password: Secret
    """The password."""


class CookieAuth(Model):
    """A session cookie that somebody else got."""

    type: Literal["cookie"]
    value: Secret
    """The cookie: its value, or the whole `name=value; …` where `name` is not given."""
    name: str | None = None
    """The cookie's name, such as `oauth2_proxy_kubeflow` or `authservice_session`."""


class KubernetesAuth(Model):
    """A Kubernetes service account's token: the file that is mounted into pods, or one that a kubeconfig can get."""

    type: Literal["kubernetes"]
    path: str | None = None
    """The mounted token; `KF_PIPELINES_SA_TOKEN_PATH`, or where KFP's own client looks, if it is not given."""
    kubeconfig: str | None = None
    """A kubeconfig file, used where no token is mounted; `KUBECONFIG` or `~/.kube/config` if it is not given."""
    context: str | None = None
    """The kubeconfig's context; its current one if it is not given."""
    service_account: str | None = None
    """The service account to ask the cluster for a token of, such as `default-editor`. Without it, the kubeconfig's own
    token is sent."""
    namespace: str | None = None
    """The service account's namespace; the context's own if it is not given."""
    audience: str = "pipelines.kubeflow.org"
    """Whom the token is for."""


class IapAuth(Model):
    """Google Identity-Aware Proxy: an ID token from the ambient Google credentials."""

    type: Literal["iap"]
    client_id: str | None = None
    """The OAuth client of the proxy; `IAP_CLIENT_ID` if it is not given."""
    service_account: str | None = None
    """A service account to impersonate; needed where the ambient credentials are a person's."""


class GoogleAuth(Model):
    """An access token from the ambient Google credentials, for hosts at `pipelines.googleusercontent.com`."""

    type: Literal["google"]


class DexAuth(Model):
    """A login at Dex, behind oauth2-proxy (today's Kubeflow) or authservice (yesterday's)."""

    type: Literal["dex"]
    username: str | Secret = Field(default=Secret(env="DEX_USERNAME"))
    """The user, an e-mail address as a rule."""
    password: Secret = Field(default=Secret(env="DEX_PASSWORD"))
    """The password."""
    connector: str = "local"
    """Dex's connector, where it offers several: `local` for static passwords, `ldap`, …"""


class OidcAuth(Model):
    """OAuth 2.0 client credentials (RFC 6749, 4.4) at an OpenID Connect provider."""

    type: Literal["oidc"]
    issuer: str | None = None
    """The provider; its token endpoint is discovered. Either this or `token_url`."""
    token_url: str | None = None
    """The token endpoint."""
    client_id: str
    """The client."""
    client_secret: Secret
    """The client's secret."""
    scope: str | None = None
    """Scopes, separated by blanks."""
    audience: str | None = None
    """Whom the token is for, where the provider asks for it."""
    client_auth: Literal["basic", "post"] = "basic"
    """Whether the client's secret is sent in a header or in the form."""

    @model_validator(mode="after")
    def _endpoint(self) -> OidcAuth:
        if (self.issuer is None) == (self.token_url is None):
            raise ValueError("one of `issuer` and `token_url` is needed")
        for url in filter(None, (self.issuer, self.token_url)):
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"{url!r} has no scheme; write it as https://{url}")
        return self


class BrowserAuth(Model):
    """A person's own login, in a browser: OpenID Connect with PKCE. `kedro kubeflow login` begins it, `logout` ends it."""

    type: Literal["browser"]
    issuer: str
    """The provider, such as `https://kubeflow.example.com/dex`."""
    client_id: str = "kedro-kubeflow"
    """A public client at the provider."""
    scope: str = "openid profile email groups offline_access"
    """Scopes, separated by blanks; with `offline_access` the login is renewed by itself."""
    audience: str | None = None
    """Whom an access token is for, where the provider asks for it."""
    token: Literal["id_token", "access_token"] = "id_token"  # noqa: S105 - which of the two, no secret
    """Which of its tokens Kubeflow's gateway takes."""
    prompt: str | None = None
    """What the provider shall ask the person, such as `consent`, without which some give no refresh token, or `login`."""
    redirect: str = "http://127.0.0.1/callback"
    """Where the browser comes back to on this machine; without a port, any that is free."""

    @field_validator("issuer")
    @classmethod
    def _has_scheme(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError(f"{value!r} has no scheme; write it as https://{value}")
        return value.rstrip("/")

    @field_validator("redirect")
    @classmethod
    def _is_here(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("an address of this machine is needed here, such as http://127.0.0.1/callback")
        return value


class CustomAuth(Model):
    """A provider of your own: the name of an entry point of the group `kedro_kubeflow.auth`, or a class path."""

    type: str
    """The entry point's name, or `package.module.Class`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What the provider is given."""

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        if "." in value or ":" in value:
            return value
        plugins = set(entry_points(group=ENTRY_POINTS).names)
        if value not in plugins:
            hint = did_you_mean(value, plugins | set(BUILT_IN))
            raise ValueError(f"{value!r} is no known way to authenticate. {hint} A class path has dots")
        return value


BUILT_IN: dict[str, type[Model]] = {
    "none": NoAuth,
    "bearer": BearerAuth,
    "basic": BasicAuth,
    "cookie": CookieAuth,
    "kubernetes": KubernetesAuth,
    "iap": IapAuth,
    "google": GoogleAuth,
    "dex": DexAuth,
    "oidc": OidcAuth,
    "browser": BrowserAuth,
}
"""Every `type` that comes with the package."""


def _mapping(value: Any) -> Any:
    """`auth: iap` is short for `auth: {type: iap}`."""
    if isinstance(value, str):
        return {"type": value}
    if not isinstance(value, Mapping | Model):
        raise ValueError("a mapping with a `type` is needed here")
    if isinstance(value, Mapping) and not isinstance(value.get("type"), str):
        raise ValueError(f"`type` is missing. Known: {', '.join(BUILT_IN)}, an entry point's name, or a class path")
    return value


def _kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return kind if kind in BUILT_IN else "custom"


AuthConfig = Annotated[
    Annotated[NoAuth, Tag("none")]
    | Annotated[BearerAuth, Tag("bearer")]
    | Annotated[BasicAuth, Tag("basic")]
    | Annotated[CookieAuth, Tag("cookie")]
    | Annotated[KubernetesAuth, Tag("kubernetes")]
    | Annotated[IapAuth, Tag("iap")]
    | Annotated[GoogleAuth, Tag("google")]
    | Annotated[DexAuth, Tag("dex")]
    | Annotated[OidcAuth, Tag("oidc")]
    | Annotated[BrowserAuth, Tag("browser")]
    | Annotated[CustomAuth, Tag("custom")],
    Discriminator(_kind),
    BeforeValidator(_mapping),
]
"""The section `auth`, told apart by its `type`."""
