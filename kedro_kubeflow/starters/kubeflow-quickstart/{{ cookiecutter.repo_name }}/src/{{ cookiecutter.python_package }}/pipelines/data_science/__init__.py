"""Train two models on the same data and measure both."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
