"""Requests of a login: one at a time, so that a secret goes where it is meant to go, and nowhere else.

``requests`` would follow redirects, with a form's content after 307 and 308, and add credentials out of ``~/.netrc``
to each of them. Here every address is somebody's decision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.kubeflow.addresses import address, is_loopback
from kedro_kubeflow.auth.kubeflow.unreachable import CHECK_HOST, Unreachable, unreachable
from kedro_kubeflow.errors import ServerError

# Seconds to connect, and between two bytes.
TIMEOUT = (10.0, 30.0)
PAUSES = (0.3, 1.0, 2.0)
_BUSY = (429, 500, 502, 503, 504)


class Requests:
    """A session of ``requests`` that follows no redirect, reads no ``~/.netrc``, and is as patient as the API's client.

    Args:
        around: how to check certificates and which one to show.
        sleep: waits for so many seconds.
    """

    def __init__(self, around: Surroundings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        import requests

        self.session = requests.Session()
        # Something must be given, or requests looks into ~/.netrc.
        self.session.auth = _nothing
        # requests would look into an address that it need not follow, and fail at one that cannot be read.
        self.session.get_redirect_target = _no_target  # type: ignore[method-assign]
        # Given with each request: a session's own `verify` gives way to REQUESTS_CA_BUNDLE.
        self._options: dict[str, Any] = {
            "verify": around.verify,
            "cert": around.client_cert,
            "timeout": TIMEOUT,
            "allow_redirects": False,
        }
        self._sleep = sleep

    def __enter__(self) -> Requests:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, url: str, who: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
        """An answer, whatever its status.

        Args:
            url: the address.
            who: is asked, as in "Kubeflow's login".

        Raises:
            ServerError: there is no answer.
        """
        return self._patiently("GET", url, who, {"headers": dict(headers or {}), **more}, again=True)

    def post(self, url: str, form: Mapping[str, Any], who: str, *, again: bool = False, **more: Any) -> Any:
        """Likewise, of a form.

        Args:
            again: whether it does no harm to send it twice.
        """
        return self._patiently("POST", url, who, {"data": dict(form), **more}, again=again)

    def _patiently(self, method: str, url: str, who: str, options: dict[str, Any], *, again: bool) -> Any:
        for pause in PAUSES:
            answer, problem = self._once(method, url, options)
            if not _worth_another_try(answer, problem, again=again):
                break
            self._sleep(pause)
        else:
            answer, problem = self._once(method, url, options)
        if problem:
            raise ServerError(f"{who} cannot be reached: {problem.what}", where=address(url), cure=problem.cure)
        return answer

    def _once(self, method: str, url: str, options: dict[str, Any]) -> tuple[Any, Unreachable | None]:
        import requests

        # Errors are not chained: their texts quote addresses with all that stands in them.
        try:
            answer = self.session.request(method, url, **{**self._options, **options})
        except requests.RequestException as error:
            unknown = Unreachable(f"the request failed ({type(error).__name__})", CHECK_HOST, sent=True, passes=False)
            return None, unreachable(error) or unknown
        except OSError as error:
            # requests' own words where a file of certificates is missing; they name it.
            cure = "check `ssl_ca_cert`, `ssl_client_cert` and `ssl_client_key`"
            return None, Unreachable(str(error), cure, passes=False)
        self._keep_secure_cookies_here()
        return answer, None

    def _keep_secure_cookies_here(self) -> None:
        """As browsers: a Secure cookie goes to this machine without TLS too, as through ``kubectl port-forward``."""
        for cookie in self.session.cookies:
            # The standard library adds a domain to a host without dots.
            if is_loopback(cookie.domain.removesuffix(".local")):
                cookie.secure = False


def _worth_another_try(answer: Any, problem: Unreachable | None, *, again: bool) -> bool:
    if problem:
        return problem.passes and (again or not problem.sent)
    # A gateway's own 429 and 503 say that nothing was passed on.
    return answer.status_code in (_BUSY if again else (429, 503))


def _no_target(resp: Any) -> str | None:  # noqa: ARG001 - requests' signature
    return None


def _nothing(request: Any) -> Any:
    return request
