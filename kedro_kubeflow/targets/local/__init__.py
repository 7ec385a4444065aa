"""Run a compiled pipeline on this machine: the very IR that would be uploaded, through KFP's own local runner.

kfp.local: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/execute-kfp-pipelines-locally/
"""
