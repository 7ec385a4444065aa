"""Who you are: credentials for MLflow and for Kubeflow Pipelines, one provider a file.

Nothing heavy is loaded here; each provider brings in google-auth, requests, kubernetes or MLflow when it is made.
"""

from __future__ import annotations

from kedro_kubeflow.auth.provider import AuthProvider

__all__ = ["AuthProvider"]
