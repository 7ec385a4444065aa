"""Google's own credentials object for clients of Google's that ask for one."""

from __future__ import annotations

from typing import Any

from kedro_kubeflow.auth.google.errors import google_errors
from kedro_kubeflow.auth.google.id_token import CLOUD_PLATFORM

LET_IN = (
    "log in (`gcloud auth application-default login`), or set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file, "
    "or run on Google Cloud with a service account"
)


def ambient_credentials(where: str) -> Any:
    """Whoever this process is: a `google.auth.credentials.Credentials`, not yet refreshed.

    Args:
        where: what they are for, in an error.

    Raises:
        AuthError: nobody.
    """
    import google.auth

    with google_errors(where, cure=LET_IN):
        credentials, _ = google.auth.default(scopes=[CLOUD_PLATFORM])
    return credentials
