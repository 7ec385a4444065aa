"""Credentials for Kubeflow Pipelines, one way to log in a file, and the words for a refusal."""

from __future__ import annotations

from kedro_kubeflow.auth.credentials.provider import AuthProvider, Surroundings
from kedro_kubeflow.auth.kubeflow.answer import Answer
from kedro_kubeflow.auth.kubeflow.refusal import authenticated, is_refused, refusal, refuse_login_page
from kedro_kubeflow.auth.kubeflow.registry import from_config

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
