"""Run Kedro projects on Kubeflow Pipelines v2."""

__version__ = "1.0.0"
