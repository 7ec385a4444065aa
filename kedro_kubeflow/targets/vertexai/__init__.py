"""Vertex AI Pipelines: jobs, schedules and experiments there.

Through the generated clients of google-cloud-aiplatform (``google.cloud.aiplatform_v1``), which is imported when a client is
made. The package's older layer, ``aiplatform.PipelineJob``, would make buckets, give them away to service accounts, log
what it does, and keep its settings in the module.
"""
