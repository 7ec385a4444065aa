"""The models of kubeflow.yml: data, with no I/O; every field's text is its help."""
