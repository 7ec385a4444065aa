"""Authlib's OAuth 2.0 client (https://docs.authlib.org), for a public client: no secret, PKCE, no redirect followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.addresses import address, redirected
from kedro_kubeflow.auth.kubeflow.unreachable import CHECK_HOST, unreachable
from kedro_kubeflow.errors import AuthError, DependencyError, ServerError

TIMEOUT = (10.0, 30.0)


def openid_session(client_id: str, around: Surroundings, **options: Any) -> Any:
    """A session of Authlib's.

    Raises:
        DependencyError: Authlib is not installed.
    """
    try:
        from authlib.integrations.requests_client import OAuth2Session
    except ImportError as error:
        raise DependencyError(
            "A login in a browser needs Authlib, which is not installed",
            where="kubeflow.yml: auth",
            cure="pip install 'kedro-kubeflow[browser]'",
        ) from error

    class Session(OAuth2Session):  # type: ignore[misc]
        """Each request goes to the address that was named, and nowhere else."""

        def get_redirect_target(self, resp: Any) -> None:
            """Requests would look into an address that it need not follow, and fail at one that cannot be read."""

        def request(self, method: str, url: str, auth: Any = None, **more: Any) -> Any:
            fixed = {"verify": around.verify, "cert": around.client_cert, "timeout": TIMEOUT, "allow_redirects": False}
            # Without an `auth`, requests looks into ~/.netrc.
            more |= {**fixed, "withhold_token": True, "auth": auth or _nothing}
            answer = super().request(method, url, **more)
            if target := redirected(answer):
                raise AuthError(
                    "The OpenID Connect provider sends to another address: nothing is sent there",
                    where=address(url),
                    cure=f"is `issuer` right? it sends to {address(target)}",
                )
            return answer

    return Session(client_id, token_endpoint_auth_method="none", **options)  # noqa: S106 - a method's name


@contextmanager
def openid_errors(where: str, cure: str) -> Iterator[None]:
    """Errors of Authlib and of requests become ours.

    Args:
        where: the provider.
        cure: what helps where it refuses.

    Raises:
        AuthError: the provider refuses.
        ServerError: it does not answer.
    """
    from authlib.common.errors import AuthlibBaseError
    from requests import HTTPError, RequestException

    try:
        yield
    except AuthlibBaseError as error:
        reason = ": ".join(redacted(str(part)) for part in (error.error, error.description) if part)
        raise AuthError(f"The OpenID Connect provider refuses: {reason}", where=where, cure=cure) from None
    except HTTPError as error:
        status = error.response.status_code if error.response is not None else "?"
        what = f"The OpenID Connect provider fails (HTTP {status})"
        raise ServerError(what, where=where, cure="try again later") from None
    except ValueError:
        # requests' and Authlib's own, where a token was expected and something else came; it is not quoted.
        raise AuthError("The OpenID Connect provider gives no token", where=where, cure=cure) from None
    except RequestException as error:
        reason_ = unreachable(error)
        if reason_ is None:
            what = f"The OpenID Connect provider gives no token ({type(error).__name__})"
            raise AuthError(what, where=where, cure=cure) from None
        what = f"The OpenID Connect provider cannot be reached: {reason_.what}"
        raise ServerError(what, where=where, cure=reason_.cure or CHECK_HOST) from None


def _nothing(request: Any) -> Any:
    return request
