"""Compiled pipelines for tests, made by KFP's own compiler, which cannot read postponed annotations."""

import functools
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Package:
    """A compiled pipeline as the client wants it."""

    name: str
    text: str
    display_name: str = "Space Flights"
    description: str = "Prices of flights"
    tags: Mapping[str, str] = field(default_factory=lambda: {"project": "space-flights", "env": "prod"})
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"rate": 0.5, "model": "tree"})

    def __str__(self) -> str:
        return self.text

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def package(name: str = "space-flights", *, image: str = "python:3.11", **changes: Any) -> Package:
    """A pipeline of three steps: split → train → report. Another image makes another spec."""
    return Package(name=name, text=_compiled(name, image), **changes)


@functools.cache
def _compiled(name: str, image: str) -> str:
    from kfp import compiler, dsl

    def step(step_name: str) -> Any:
        def code(rate: float, model: str) -> dsl.ContainerSpec:
            return dsl.ContainerSpec(image=image, command=["echo"], args=[step_name])

        code.__name__ = step_name
        return dsl.container_component(code)

    split, train, report = (step(n) for n in ("split", "train", "report"))

    @dsl.pipeline(name=name)
    def pipeline(rate: float = 0.5, model: str = "tree") -> None:
        first = split(rate=rate, model=model)
        second = train(rate=rate, model=model).after(first)
        report(rate=rate, model=model).after(second)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return path.read_text("utf-8")
