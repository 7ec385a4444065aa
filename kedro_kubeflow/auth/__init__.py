"""Who you are, in three rooms that do not know each other's business.

- `kubeflow`: credentials for Kubeflow Pipelines, and the words for their refusal; one way to log in a file.
- `mlflow`: credentials for MLflow, as its own plugins want them.
- `google`: tokens from google-auth.

What they share stands below them in `credentials`. Nothing heavy is loaded before it is used.
"""
