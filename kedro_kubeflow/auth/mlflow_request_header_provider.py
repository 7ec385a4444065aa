"""The name under which projects know the base class of their own providers; kedro-vertexai has the same."""

from kedro_kubeflow.auth.mlflow.request_header_provider import RequestHeaderProviderWithKedroContext

__all__ = ["RequestHeaderProviderWithKedroContext"]
