"""Tell people how the penguins and the models look."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
