"""The names under which mlflow.yml knows Google's request header providers; kedro-vertexai has the same."""

from kedro_kubeflow.auth.mlflow.google_header_providers import (
    MLFlowGoogleIAMRequestHeaderProvider,
    MLFlowGoogleOauthRequestHeaderProvider,
)

__all__ = ["MLFlowGoogleIAMRequestHeaderProvider", "MLFlowGoogleOauthRequestHeaderProvider"]
