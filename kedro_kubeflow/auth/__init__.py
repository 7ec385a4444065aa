"""Who you are: credentials for MLflow and for Kubeflow Pipelines, one provider a file.

Nothing heavy is loaded here; each provider brings in google-auth, requests, kubernetes or MLflow when it is used.
"""

from __future__ import annotations

from kedro_kubeflow.auth.provider import AuthProvider, Surroundings
from kedro_kubeflow.auth.refusal import Answer, authenticated, is_refused, refusal, refuse_login_page
from kedro_kubeflow.auth.registry import from_config

__all__ = [
    "Answer",
    "AuthProvider",
    "Surroundings",
    "authenticated",
    "from_config",
    "is_refused",
    "refusal",
    "refuse_login_page",
]
