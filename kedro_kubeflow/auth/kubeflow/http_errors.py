"""requests' errors become ours here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kedro_kubeflow.errors import ServerError

# Seconds to connect, and between two bytes.
TIMEOUT = (10.0, 30.0)


@contextmanager
def http_errors(who: str, where: str) -> Iterator[None]:
    """Say who could not be asked.

    Args:
        who: as in "Dex".
        where: the address.

    Raises:
        ServerError: there is no answer.
    """
    from requests import exceptions

    # Not chained: their texts quote addresses with all that stands in them.
    try:
        yield
    except exceptions.SSLError as error:
        raise ServerError(
            f"{who} cannot be reached: TLS failed ({_reason(error)})",
            where=where,
            cure="name the file of the CA that signed its certificate under `ssl_ca_cert`, or in REQUESTS_CA_BUNDLE",
        ) from None
    except exceptions.TooManyRedirects:
        raise ServerError(f"{who} redirects in circles", where=where, cure="check `host` in kubeflow.yml") from None
    except exceptions.RequestException as error:
        raise ServerError(
            f"{who} cannot be reached ({type(error).__name__})", where=where, cure="check `host`, network and proxies"
        ) from None


def _reason(error: Exception) -> str:
    text = str(error)
    known = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "HOSTNAME_MISMATCH")
    return next((sign.lower().replace("_", " ") for sign in known if sign in text), type(error).__name__)
