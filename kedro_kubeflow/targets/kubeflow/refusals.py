"""Foreign errors → ours: the one place of this room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from kfp_server_api import ApiException

from kedro_kubeflow.auth.credentials.redaction import shortened
from kedro_kubeflow.auth.kubeflow.addresses import joined
from kedro_kubeflow.auth.kubeflow.front import LOGIN_ELSEWHERE
from kedro_kubeflow.auth.kubeflow.permission import PermissionDenied
from kedro_kubeflow.auth.kubeflow.unreachable import CHECK_HOST, of_tls, unreachable
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError
from kedro_kubeflow.targets.kubeflow.address import Address
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, grpc_body, text_of


@contextmanager
def server_errors(address: Address, doing: str) -> Iterator[None]:
    """Errors of the generated client and of the network become ours.

    Args:
        doing: what is being done, as in "upload the pipeline 'x'".

    Raises:
        AuthError: the server does not know us, or does not let us.
        ServerError: it cannot be reached, refuses, or fails.
    """
    try:
        yield
    except AuthError as error:
        if error.what.startswith("Could not"):
            raise
        what, where = f"Could not {doing}: {error.what}", error.where or address.host
        if isinstance(error, PermissionDenied):
            raise PermissionDenied(what, error.denied, where=where, cure=error.cure) from error
        raise AuthError(what, where=where, cure=error.cure) from error
    except FOREIGN as error:
        raise translated(error, address, doing) from error


def translated(error: BaseException, address: Address, doing: str) -> KedroKubeflowError:
    """Our error for a foreign one."""
    if isinstance(error, ApiException) and error.status != 0:
        return _of_answer(error, address, doing)
    # The generated client gives every TLS error the status 0.
    reason = of_tls(str(error.reason)) if isinstance(error, ApiException) else unreachable(error)
    what, cure = (reason.what, reason.cure) if reason else (_one_line(str(error)), CHECK_HOST)
    return ServerError(f"Could not {doing}: {what}", where=address.host, cure=cure)


def no_api(address: Address, content_type: str) -> ServerError:
    """Something answers that is no API: a dashboard gives its own page for every path that it does not know."""
    kind = "a web page" if "html" in content_type else content_type.split(";")[0]
    return ServerError(
        f"The server answers with {kind} in place of JSON: that is not the API of Kubeflow Pipelines",
        where=address.host,
        cure="is a path missing, such as /pipeline? check `host` in kubeflow.yml",
    )


def words_of(error: BaseException) -> str:
    """What the server said, or what the network did, in a few words: part of a sentence."""
    if isinstance(error, ApiException) and error.status:
        return f"the server answered {error.status}: {_message(error)}"
    reason = unreachable(error)
    return reason.what if reason else _one_line(str(error))


def _of_answer(error: ApiException, address: Address, doing: str) -> KedroKubeflowError:
    message = _message(error)
    what = f"Could not {doing}: {message}"
    if 300 <= error.status < 400:
        return _of_redirect(error, address, doing)
    if error.status == 404 and not grpc_body(error):
        what = f"Could not {doing}: there is no Kubeflow Pipelines API at that address"
        return ServerError(what, where=address.host, cure="is a path missing, such as /pipeline? check `host`")
    for sign, cure in _CURES.items():
        if re.search(sign, message, flags=re.IGNORECASE):
            return ServerError(what, where=address.host, cure=cure)
    return ServerError(what, where=address.host, cure="try again later" if error.status >= 500 else None)


_CURES = {
    r"exceed maximum size": "this server caps the parameters of a run (MAX_PARAMETER_BYTES): keep large values in the "
    "project's conf and compile with them",
    r"file size|too large|request entity": "the compiled pipeline is too large for the server: put several nodes into a step",
    r"HTTP request to an HTTPS server|plain HTTP request": "write https:// in place of http:// under `host`",
    r"namespace is required|namespace cannot.* be empty|empty namespace": "set `namespace` in kubeflow.yml: this server has "
    "several users",
    r"no healthy upstream|upstream": "the API server is down or restarting; try again later",
}


def _of_redirect(error: ApiException, address: Address, doing: str) -> KedroKubeflowError:
    location = str((error.headers or {}).get("Location", ""))
    here, there = urlsplit(address.host), urlsplit(joined(f"{address.host}/", location))
    place = f"{there.scheme}://{there.netloc}{there.path}"
    if not location:
        place = "another place"
    elif (there.scheme, there.hostname) == ("https", here.hostname) and here.scheme == "http":
        what = f"Could not {doing}: the server wants TLS"
        return ServerError(what, where=address.host, cure=f"write https://{there.netloc}{here.path} under `host`")
    elif {"client_id", "response_type"} & parse_qs(there.query).keys():
        what = f"Could not {doing}: a login at {there.scheme}://{there.netloc} is wanted"
        return AuthError(what, where=address.host, cure=LOGIN_ELSEWHERE)
    elif there.hostname != here.hostname:
        what = f"Could not {doing}: the server sends to {place} instead of answering"
        cure = f"if that is Kubeflow's own address, write {there.scheme}://{there.netloc}{here.path} under `host`"
        return AuthError(what, where=address.host, cure=f"{cure}; if it is a login, {LOGIN_ELSEWHERE}")
    what = f"Could not {doing}: the server sends to {place} instead of answering"
    return AuthError(what, where=address.host, cure="is that a login? then check `auth`; if not, check `host`")


def _message(error: ApiException) -> str:
    """What the server said, in one line, without mark-up."""
    body = grpc_body(error)
    said = str(body.get("message") or body.get("error_message") or body.get("error_details") or "")
    return _one_line(said or _without_markup(text_of(error))) or f"HTTP {error.status} {error.reason or ''}".strip()


def _without_markup(text: str) -> str:
    """The words of a page, as a gateway or a proxy writes one of an error; nothing of what is not meant to be read.

    >>> _without_markup("<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>")
    ' 502 Bad Gateway nginx '
    """
    if "<" not in text:
        return text
    plain = re.sub(r"(?is)<(script|style).*?</\1\s*>|<!--.*?-->|<!doctype[^>]*>", " ", text)
    return re.sub(r"(?s)(?:<[^>]*>)+", " ", plain)


def _one_line(text: str) -> str:
    return shortened(" ".join(text.split()))
