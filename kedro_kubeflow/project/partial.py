"""Read what of the configuration can be worked out, and go on where something cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_EVALUATE = "_evaluate_custom_resolver"
UNKNOWN = "…"
"""In the place of what a resolver would give in the run, and cannot give here."""


@contextmanager
def as_far_as_it_goes(
    left: Any, *, goes_on: Callable[[Exception], bool], hear: Callable[[Any], None] = lambda _: None
) -> Iterator[None]:
    """Let configurations be worked out with something in place of what cannot be, while the block runs.

    Args:
        left: what stands there.
        goes_on: whether an error of OmegaConf is one of those.
        hear: is given each configuration before it is worked out.
    """
    from omegaconf import OmegaConf

    whole = OmegaConf.to_container

    def plain(config: Any, *args: Any, resolve: bool = False, **kwargs: Any) -> Any:
        if not resolve:
            return whole(config, *args, **kwargs)
        hear(config)
        try:
            return whole(config, *args, resolve=True, **kwargs)
        except Exception as error:
            if not goes_on(error):
                raise
            return _Parts(left, goes_on).of(config)

    OmegaConf.to_container = staticmethod(plain)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        OmegaConf.to_container = staticmethod(whole)  # type: ignore[method-assign]


@contextmanager
def resolvers_may_fail(section: str, left: list[str]) -> Iterator[None]:
    """Let ``UNKNOWN`` stand for what a resolver's function does not give, as where a variable of the environment is not set.

    Args:
        section: what is being read, for what is said.
        left: is given a sentence on each.
    """
    from omegaconf.base import Container

    # OmegaConf has no public place for this: resolvers are registered anywhere, also by plugins, and some
    # take the node that they stand in. Without it they must all be known; tests/project/test_partial.py says when it goes away.
    evaluate = getattr(Container, _EVALUATE, None)
    if evaluate is None:
        yield
        return

    def tolerant(self: Any, **call: Any) -> Any:
        try:
            return evaluate(self, **call)
        except _omegaconfs_own():
            if not any(UNKNOWN in str(given) for given in call["inter_args"]):
                raise
            return UNKNOWN
        except Exception as error:
            asked = f"${{{call['inter_type']}:{','.join(call['inter_args_str'])}}}"
            said = " ".join(str(error).split())
            left.append(
                f"{asked} in {section}*.yml fails here, and is left to the steps: {type(error).__name__}: {said}"
            )
            return UNKNOWN

    def looks_into_it(error: Exception) -> bool:
        # What is not known has nothing inside.
        return bool(left) and str(error).startswith("ConfigTypeError raised while resolving")

    setattr(Container, _EVALUATE, tolerant)
    try:
        with as_far_as_it_goes(UNKNOWN, goes_on=looks_into_it):
            yield
    finally:
        setattr(Container, _EVALUATE, evaluate)


def _omegaconfs_own() -> type[Exception]:
    from omegaconf.errors import OmegaConfBaseException

    return OmegaConfBaseException


def is_known(value: Any) -> bool:
    """Whether nothing in a value is left to the run."""
    if isinstance(value, Mapping):
        return all(map(is_known, value.values()))
    return all(map(is_known, value)) if isinstance(value, list) else value != UNKNOWN


class _Parts:
    def __init__(self, left: Any, goes_on: Callable[[Exception], bool]) -> None:
        self._left, self._goes_on = left, goes_on

    def of(self, config: Any) -> Any:
        from omegaconf import DictConfig, ListConfig

        if isinstance(config, DictConfig):
            return {key: self._item(config, key) for key in config}
        return [self._item(config, i) for i in range(len(config))] if isinstance(config, ListConfig) else config

    def _item(self, config: Any, key: Any) -> Any:
        try:
            return self.of(config[key])
        except Exception as error:
            if not self._goes_on(error):
                raise
            return self._left
