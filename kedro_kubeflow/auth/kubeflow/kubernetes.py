"""Kubernetes service account tokens: mounted ones, and those that a kubeconfig can get.

Kubeflow's oauth2-proxy and KFP's API server accept them for the audience ``pipelines.kubeflow.org``
(https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/connect-api/).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kedro_kubeflow.auth.credentials.bearer import BearerToken
from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.provider import AuthProvider, Surroundings
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.credentials.secret import File
from kedro_kubeflow.auth.credentials.token import Token, TokenCache, expiry_of
from kedro_kubeflow.config.auth import PIPELINES_TOKEN, KubernetesAuth
from kedro_kubeflow.errors import AuthError, ServerError

TOKEN_PATH_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105 - a variable's name, KFP's own
LIFETIME = 3600
# How long a kubeconfig's own token is trusted where it does not say so itself.
UNKNOWN_LIFETIME = 300.0


def from_config(config: KubernetesAuth, around: Surroundings) -> AuthProvider:
    """The provider that the section `auth` describes: a mounted token where there is one, a kubeconfig's otherwise."""
    named = config.path or around.env.get(TOKEN_PATH_VARIABLE)
    by_kubeconfig = config.kubeconfig or config.context or config.service_account
    if config.path or (not by_kubeconfig and (named or Path(PIPELINES_TOKEN).exists())):
        return BearerToken(File(named or PIPELINES_TOKEN))
    return KubeconfigToken(config, config.kubeconfig or around.env.get("KUBECONFIG") or "~/.kube/config")


class KubeconfigToken:
    """A service account's token that the cluster gives out, or the kubeconfig's own.

    Args:
        config: which context, service account and audience.
        kubeconfig: the file.
    """

    def __init__(self, config: KubernetesAuth, kubeconfig: str) -> None:
        self._config = config
        self._kubeconfig = kubeconfig
        self._cache = TokenCache(self._fetch)

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._cache.get(self._config.audience), where=self._where)

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._cache.drop()
        return True

    def __str__(self) -> str:
        return f"the token from {self._where}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._where})"

    @property
    def _where(self) -> str:
        return f"{self._kubeconfig}, context {self._config.context or 'current'}"

    def _fetch(self, audience: str) -> Token:
        from kubernetes import config

        file = str(Path(self._kubeconfig).expanduser()) if ":" not in self._kubeconfig else self._kubeconfig
        with self._errors(), config.new_client_from_config(file, context=self._config.context) as api:
            return self._requested(api, file, audience) if self._config.service_account else self._own(api)

    def _requested(self, api: Any, file: str, audience: str) -> Token:
        """From the TokenRequest API (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/)."""
        from kubernetes import client

        spec = client.V1TokenRequestSpec(audiences=[audience], expiration_seconds=LIFETIME)
        answer = client.CoreV1Api(api).create_namespaced_service_account_token(
            self._config.service_account, self._namespace(file), client.AuthenticationV1TokenRequest(spec=spec)
        )
        value = str(answer.status.token)
        return Token(value, expires_at=expiry_of(value) or time.time() + UNKNOWN_LIFETIME)

    def _namespace(self, file: str) -> str:
        from kubernetes import config

        contexts, current = config.list_kube_config_contexts(file)
        chosen = next((c for c in contexts if c["name"] == self._config.context), current)
        namespace = self._config.namespace or chosen["context"].get("namespace")
        if not namespace:
            raise AuthError(
                f"The namespace of the service account {self._config.service_account!r} is not known",
                where=self._where,
                cure="give `namespace` under `auth` (a Kubeflow profile's name)",
            )
        return str(namespace)

    def _own(self, api: Any) -> Token:
        settings = api.configuration.auth_settings().values()
        value = next((s["value"] for s in settings if s.get("key") == "authorization" and s.get("value")), None)
        if not value:
            raise AuthError(
                "The kubeconfig has no token, as with client certificates: nothing that Kubeflow could be sent",
                where=self._where,
                cure="give `service_account` under `auth`, such as `default-editor`; the cluster then makes a token",
            )
        return Token(value, expires_at=expiry_of(value.rpartition(" ")[2]) or time.time() + UNKNOWN_LIFETIME)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from kubernetes.client import ApiException
        from kubernetes.config import ConfigException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ConfigException as error:
            raise AuthError(
                f"No Kubernetes credentials: {redacted(str(error))}",
                where=self._where,
                cure=f"mount a token at {PIPELINES_TOKEN}, or give `kubeconfig` and `context` under `auth`",
            ) from None
        except ApiException as error:
            raise self._refused(error) from None
        except HTTPError as error:
            raise ServerError(
                f"The cluster cannot be asked for a token: {type(error).__name__}", where=self._where, cure="is it up?"
            ) from None

    def _refused(self, error: Any) -> AuthError | ServerError:
        what = f"The cluster gives no token for the service account: {error.status} {error.reason}"
        if error.status >= 500:
            return ServerError(what, where=self._where, cure="try again later")
        account = f"{self._config.namespace or 'its namespace'}/{self._config.service_account}"
        cure = f"check that {account} exists, and that you may `create` its `serviceaccounts/token`"
        return AuthError(what, where=self._where, cure=cure)
