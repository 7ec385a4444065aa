"""The one MLflow run of a pipeline run: start it, let every step join it, close it with the true status.

``start`` and ``finish`` work on the run from outside, ``joined`` is a step's time inside it; ``status`` holds the truth table.
"""
