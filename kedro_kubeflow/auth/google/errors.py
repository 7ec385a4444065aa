"""google-auth's errors become ours here, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError

WHO_CAN = (
    "set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file, or run on Google Cloud with a service account "
    "(on GKE, workload identity needs roles/iam.workloadIdentityUser on it), or name a `service_account` to impersonate"
)


@contextmanager
def google_errors(where: str, *, cure: str) -> Iterator[None]:
    """Say what google-auth could not do.

    Args:
        where: what was asked for.
        cure: what helps when Google refuses.

    Raises:
        AuthError: there are no credentials, or Google refused them.
        ServerError: Google does not answer.
    """
    from google.auth import exceptions

    # None of them is chained: they may carry whole answers of the token endpoint.
    try:
        yield
    except exceptions.DefaultCredentialsError as error:
        raise AuthError(f"No Google credentials: {_reason(error)}", where=where, cure=WHO_CAN) from None
    except exceptions.TransportError as error:
        raise _unreachable(error, where) from None
    except exceptions.GoogleAuthError as error:
        raise (_unreachable(error, where) if _may_pass(error) else _refused(error, where, cure)) from None


def _refused(error: Exception, where: str, cure: str) -> KedroKubeflowError:
    return AuthError(f"Google refused: {_reason(error)}", where=where, cure=cure)


def _unreachable(error: Exception, where: str) -> KedroKubeflowError:
    what = f"Google cannot be asked for a token: {_reason(error)}"
    return ServerError(what, where=where, cure="check network, DNS and proxy settings, or try again")


def _may_pass(error: Exception) -> bool:
    """Whether the refusal is an overload or a breakdown."""
    code = re.search(r"'code': (\d+)", str(error))
    return bool(getattr(error, "retryable", False)) or bool(code and int(code[1]) >= 429)


def _reason(error: Exception) -> str:
    # The first argument is google-auth's sentence; the others are answers as they came.
    return redacted(str(error.args[0] if error.args else type(error).__name__))
