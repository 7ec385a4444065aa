"""The one MLflow run of a pipeline run: start it, let every step join it, close it with the true status."""
