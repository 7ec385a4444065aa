"""Where pipelines run: Kubeflow Pipelines, Vertex AI Pipelines, this machine."""
