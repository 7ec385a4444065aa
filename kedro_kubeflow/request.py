"""What is asked for: some pipelines, a part of them, parameters, an image; plain values, before any project is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What to run of a pipeline: what fits every condition that is given; everything where none is.

    The conditions are those of ``kedro run``: https://docs.kedro.org/en/stable/build/slice_a_pipeline/

    Attributes:
        nodes: these nodes.
        from_nodes: these and all that follow from them.
        to_nodes: these and all that they need.
        from_inputs: nodes that follow from these datasets.
        to_outputs: nodes that these datasets need.
        tags: nodes with one of these tags.
        namespaces: nodes of these namespaces.
    """

    nodes: tuple[str, ...] = ()
    from_nodes: tuple[str, ...] = ()
    to_nodes: tuple[str, ...] = ()
    from_inputs: tuple[str, ...] = ()
    to_outputs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))

    def __str__(self) -> str:
        return " ".join(self.words())

    def words(self) -> list[str]:
        """The options of a command line, one a condition; for a shell, each is to be quoted."""
        return [f"--{key}={','.join(names)}" for key, names in self._given()]

    def over(self, other: Slice) -> Slice:
        """These conditions, and those of the other that are not given here."""
        return Slice(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})

    def _given(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for condition in fields(self):
            if names := getattr(self, condition.name):
                yield condition.name.replace("_", "-"), names


@dataclass(frozen=True, kw_only=True)
class TravellingCode:
    """The project's code as it goes along with a run; in one of three ways.

    Attributes:
        digest: SHA-256 of what is in it.
        content: the archive itself, for the first task's arguments.
        mlflow_run: the MLflow run that holds it.
        uris: where its parts lie, in their order; most often there is one.
        commit: the project's git commit, with ``-dirty`` where files differ from it.
    """

    digest: str
    content: bytes | None = None
    mlflow_run: str | None = None
    uris: tuple[str, ...] = ()
    commit: str | None = None


@dataclass(frozen=True, kw_only=True)
class EarlierRun:
    """A run to go on from, as far as its target tells of it.

    Attributes:
        id: by which its target knows it.
        nodes: node → display name of the step that ran it, of steps that succeeded in it or were taken over by it.
        steps: every step of it, those that it has taken over too: display name → nodes.
        parameters: its inputs, by KFP name.
        made: dataset → what is known of its artifact: ``uri``, and ``step``, ``type``, ``filename``, ``how`` as a compiled
            pipeline has them.
        trust: whether steps are taken over though their parameters have changed.
        again: nodes that run anew, and all that follow from them.
    """

    id: str
    nodes: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    trust: bool = False
    again: tuple[str, ...] = ()

    def uri(self, dataset: str) -> str:
        """Where a dataset's artifact lies; empty where that is not known."""
        return self.made.get(dataset, {}).get("uri", "")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to compile.

    Attributes:
        path: a folder in the project; the working directory where it is None.
        env: the configuration environment.
        pipelines: registered names, whose union is meant; empty leaves it to the job, or is ``__default__``.
        part: what of it.
        job: the name of one of ``jobs`` in kubeflow.yml; what is asked for here goes before what it says.
        image: in place of ``run_config.image``.
        parameters: overrides, nested as in parameters.yml.
        default_image: what stands in the spec where no image is configured; None makes that an error.
        target: where it is to run; the one that is configured where it is None.
        code: the code that goes along with the run; None where steps run the image's.
        earlier: the run to go on from; None where everything runs.
        either_target: whether Kubeflow will do where both are configured, and none is asked for.
        force: whether to go on in spite of what would give wrong values in silence.
        strict: whether what can be left out, such as a pipeline that does not import, is an error.
    """

    path: Path | None = None
    env: str | None = None
    pipelines: tuple[str, ...] = ()
    part: Slice = field(default_factory=Slice)
    job: str | None = None
    image: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    default_image: str | None = None
    target: str | None = None
    either_target: bool = False
    code: TravellingCode | None = None
    earlier: EarlierRun | None = None
    force: bool = False
    strict: bool = False
