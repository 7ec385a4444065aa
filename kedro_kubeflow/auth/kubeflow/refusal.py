"""Answers that let nobody through: recognised for what they are, and told as an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kedro_kubeflow.auth.credentials.provider import AuthProvider, Heeding
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.addresses import address
from kedro_kubeflow.auth.kubeflow.answer import Answer
from kedro_kubeflow.auth.kubeflow.front import CURES, FRONT_CURE, login_wanted_by, scheme_cure
from kedro_kubeflow.auth.kubeflow.permission import permission_denied
from kedro_kubeflow.errors import AuthError

R = TypeVar("R")
Look = Callable[[], Answer | None]
"""Gives what the host shows to a stranger's browser; None where it shows nothing."""


class FrontRefusal(AuthError):
    """What stands before the server refuses credentials.

    Attributes:
        may_pass: whether that may be for want of whoever knows them: a gateway whose own guard is away refuses everybody.
    """

    def __init__(self, what: str, *, may_pass: bool, where: str | None = None, cure: str | None = None) -> None:
        super().__init__(what, where=where, cure=cure)
        self.may_pass = may_pass


def refuse_login_page(response: Any) -> None:
    """Raise where an answer is a login page, or a redirect to one, instead of what was asked for.

    Args:
        response: an answer of requests, urllib3 or ``kfp_server_api``, or an `Answer`.

    Raises:
        AuthError: says whose page it is and what to check.
    """
    answer = response if isinstance(response, Answer) else Answer.of(response)
    if who := login_wanted_by(answer):
        raise AuthError(
            f"{who} wants a login instead of letting the request through",
            where=address(answer.location or answer.url) or None,
            cure=CURES.get(who, FRONT_CURE),
        )


def is_refused(answer: Answer) -> bool:
    """Whether the server lets the request through for nobody, or not for us."""
    return answer.status in (401, 403, 407) or login_wanted_by(answer) is not None


def may_be_renewed(answer: Answer) -> bool:
    """Whether other credentials of the same kind might help: not where the server knows who asks, and says no."""
    return is_refused(answer) and answer.status != 407 and permission_denied(answer) is None


def authenticated(provider: AuthProvider, send: Callable[[dict[str, str]], R], *, look: Look = lambda: None) -> R:
    """An answer that credentials were accepted for: renewed once where they are refused.

    Sending twice does no harm: a refused request has not been carried out.

    Args:
        send: sends a request with these headers beside its own, and gives what `Answer.of` takes.
        look: is called once where it helps to know who stands before the server.

    Raises:
        AuthError: says what was refused, by whom, and what to check.
    """
    first = headers = provider.headers()
    response = send(headers)
    if may_be_renewed(Answer.of(response)) and provider.renew():
        response = send(headers := provider.headers())
    answer = Answer.of(response)
    if is_refused(answer):
        error = refusal(answer, provider, headers, look=look)
        if isinstance(error, FrontRefusal) and headers != first:
            # New ones were refused as well: a login a try would be too much.
            error.may_pass = False
        raise error
    renewed = answer.headers.get("set-cookie")
    if renewed and isinstance(provider, Heeding):
        provider.heed(renewed)
    return response


def refusal(answer: Answer, provider: AuthProvider, sent: Mapping[str, str], *, look: Look = lambda: None) -> AuthError:
    """What was refused, by whom, and what to check.

    Args:
        sent: the provider's headers; servers may quote them, this error does not.
        look: see `authenticated`.
    """
    where = address(answer.url) or None
    if denied := permission_denied(answer, *_parts(sent)):
        return denied.error(where)
    said = "" if answer.is_html else redacted(answer.message, *_parts(sent))
    if answer.status == 407:
        return AuthError(
            f"The proxy on the way wants a login: HTTP 407 {said}".rstrip(),
            where=where,
            cure="write user and password into HTTPS_PROXY (https://user:password@host:port), or the host into NO_PROXY",
        )
    explain = getattr(provider, "explain", None)
    if sent and explain and (known := explain(answer)):
        return FrontRefusal(f"{known[0]}: HTTP {answer.status}", may_pass=False, where=where, cure=known[1])
    who, cure = _front(answer, look) if not answer.by_kfp or not sent else (None, None)
    own = None if sent else getattr(provider, "cure", None)
    if answer.by_kfp:
        return AuthError(
            _of_kfp(answer, provider, sent, said), where=where, cure=own or cure or _kfp_cure(answer, sent)
        )
    nothing = "no credentials were sent" + _why(provider)
    refuses = f"does not accept the credentials ({provider})" if sent else f"wants a login, and {nothing}"
    what = f"{who or _nameless(answer)} {refuses}: HTTP {answer.status} {said}".rstrip(" :")
    # Envoy answers so, with nothing, while it cannot ask (ext_authz).
    may_pass = bool(sent) and answer.status == 403 and not answer.body.strip() and not login_wanted_by(answer)
    return FrontRefusal(what, may_pass=may_pass, where=where, cure=own or cure or FRONT_CURE)


def _why(provider: AuthProvider) -> str:
    """Why there are no credentials, if that is known."""
    why = getattr(provider, "why", None)
    return f" ({why})" if why else ""


def _front(answer: Answer, look: Look) -> tuple[str | None, str | None]:
    """Who stands before the server, by its answer or by what it shows to a browser, and what to write into `auth`."""
    for seen in (answer, None):
        shown = seen or look()
        if shown is None:
            continue
        who = login_wanted_by(shown)
        if who or scheme_cure(shown):
            return who, CURES.get(who or "") or scheme_cure(shown)
    return None, None


def _nameless(answer: Answer) -> str:
    """A front that did not say its name."""
    if "rbac: access denied" in answer.body.lower():
        return "The gateway before the server (Istio)"
    if "istio" in answer.headers.get("server", "").lower() or "x-envoy-upstream-service-time" in answer.headers:
        return "The gateway before the server"
    return "The server, or what stands before it,"


def _of_kfp(answer: Answer, provider: AuthProvider, sent: Mapping[str, str], said: str) -> str:
    """KFP's own 401: it was asked by somebody whom it does not know."""
    text = answer.message
    if audience := re.search(r"token audiences \[(.*?)\] is invalid for the target audiences \[(.*?)\]", text):
        given, wanted = (part.replace('"', "").replace("\\", "") for part in audience.groups())
        return f"Kubeflow Pipelines wants a token for {wanted}, and this one is for {given} ({provider})"
    if not sent:
        nothing = f"no credentials were sent{_why(provider)}"
        return f"Kubeflow Pipelines does not know who you are, as {nothing}: HTTP {answer.status}"
    if "Authenticated is false" in text:
        return f"Kubeflow Pipelines does not accept the token ({provider}): it has expired, or is for another cluster"
    if "no user identity" in text:
        return f"Kubeflow Pipelines does not know who you are: it was told of no user with the credentials ({provider})"
    return f"Kubeflow Pipelines does not accept the credentials ({provider}): HTTP {answer.status} {said}".rstrip()


def _kfp_cure(answer: Answer, sent: Mapping[str, str]) -> str:
    if "token audiences" in answer.message:
        return "set `audience` under `auth`, or mount a token for that audience (see the PodDefault of your namespace)"
    if not sent:
        return FRONT_CURE
    return (
        "check `auth` in kubeflow.yml, renew the token; and let `host` be the address at which people use Kubeflow, which knows "
        "its users, and not one at which the API alone answers"
    )


def _parts(sent: Mapping[str, str]) -> list[str]:
    """The headers' values, whole and without scheme or cookie name."""
    whole = list(sent.values())
    return [*whole, *(part for value in whole for part in re.split(r"[ ;]+|(?<=\w)=(?=.)", value) if len(part) > 3)]
