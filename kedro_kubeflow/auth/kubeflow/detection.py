"""How to authenticate where kubeflow.yml does not say: by the environment, in a fixed order.

1. ``IAP_CLIENT_ID`` (or KFP's ``KF_PIPELINES_IAP_OAUTH2_CLIENT_ID``): Identity-Aware Proxy.
2. ``DEX_USERNAME`` and ``DEX_PASSWORD``: a login at Dex.
3. A host at ``*.googleusercontent.com``: an access token of the ambient Google credentials
   (``GOOGLE_APPLICATION_CREDENTIALS``, gcloud's login, the metadata server).
4. ``KF_PIPELINES_SA_TOKEN_PATH``, or a token mounted where KFP's own client looks: the Kubernetes service account.
5. Nothing is sent.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kedro_kubeflow.auth.kubeflow.iap import client_id_of
from kedro_kubeflow.auth.kubeflow.kubernetes import TOKEN_PATH_VARIABLE
from kedro_kubeflow.config.auth import PIPELINES_TOKEN, AuthConfig, DexAuth, GoogleAuth, IapAuth, KubernetesAuth, NoAuth
from kedro_kubeflow.errors import AuthError

log = logging.getLogger(__name__)


def detect(host: str, env: Mapping[str, str]) -> AuthConfig:
    """The section `auth` that the environment stands for.

    Raises:
        AuthError: only one half of Dex' credentials is there.
    """
    if client_id := client_id_of(env):
        return IapAuth(type="iap", client_id=client_id)
    log.info("No IAP_CLIENT_ID provided, skipping custom IAP authentication")
    dex = {name: bool(env.get(name)) for name in ("DEX_USERNAME", "DEX_PASSWORD")}
    if any(dex.values()):
        _refuse_half(dex)
        return DexAuth(type="dex")
    if (urlsplit(host).hostname or "").endswith(".googleusercontent.com"):
        return GoogleAuth(type="google")
    if env.get(TOKEN_PATH_VARIABLE) or Path(PIPELINES_TOKEN).exists():
        return KubernetesAuth(type="kubernetes")
    return NoAuth(type="none")


def _refuse_half(given: Mapping[str, bool]) -> None:
    missing = [name for name, there in given.items() if not there]
    if missing:
        raise AuthError(
            f"Of DEX_USERNAME and DEX_PASSWORD, {missing[0]} is not set",
            cure="set both, or neither; or configure `auth`",
        )
