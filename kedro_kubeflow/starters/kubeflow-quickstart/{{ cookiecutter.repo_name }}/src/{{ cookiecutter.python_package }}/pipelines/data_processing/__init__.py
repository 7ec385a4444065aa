"""From the field notes to a table that a model can learn from."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
