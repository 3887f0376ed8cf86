"""One file per contract. An adapter turns images and options into requests, and answers into predictions.

A protocol per capability, as for models: an adapter has those that its contract knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard
from countersign.models.contract import Clicks, PredictOptions, Segment

if TYPE_CHECKING:
    from countersign.models.remote.http import Http
    from countersign.models.remote.pictures import Sent
    from countersign.models.remote.spec import RemoteSpec


class Adapter(Protocol):
    """Speaks one contract with one server. Any thread may call."""

    batch: int
    """Images of one request."""

    def card(self, name: str) -> ModelCard:
        """Return the model's card, asking the server where the contract tells. Raises ModelError."""
        ...

    def check(self) -> str:
        """Ask whether the server is there; return what it says of itself in a few words. Raises ModelError."""
        ...

    def predict(self, images: Sequence[Sent], options: PredictOptions) -> list[list[Prediction]]:
        """Label whole images. Raises ModelError."""
        ...


class OneImage:
    """What adapters have in common whose contract takes one image a request, and tells nothing of the model."""

    batch = 1

    def __init__(self, spec: RemoteSpec, http: Http) -> None:
        self._spec, self._http = spec, http

    def card(self, name: str) -> ModelCard:
        from countersign.models.remote.spec import card_of

        return card_of(self._spec, name)

    def predict(self, images: Sequence[Sent], options: PredictOptions) -> list[list[Prediction]]:
        return [self._one(image, options) for image in images]

    def _one(self, image: Sent, options: PredictOptions) -> list[Prediction]:
        """Label one image. Raises ModelError."""
        raise NotImplementedError


@runtime_checkable
class Segments(Protocol):
    """Cuts out what is pointed at."""

    def segment(self, image: Sent, prompts: Sequence[Clicks]) -> list[Segment]: ...


@runtime_checkable
class Refines(Protocol):
    """Turns boxes into masks or poses."""

    def refine(
        self, images: Sequence[Sent], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]: ...


@runtime_checkable
class Embeds(Protocol):
    """Turns images into vectors."""

    def embed(self, images: Sequence[Sent]) -> list[list[float]]: ...


@runtime_checkable
class Answers(Protocol):
    """Answers questions."""

    def ask(self, images: Sequence[Sent], question: str, settings: Mapping[str, Any]) -> list[str]: ...


_MODULES = {
    "countersign": "own",
    "plain": "plain",
    "label-studio": "label_studio",
    "cvat": "cvat",
    "x-anylabeling": "x_anylabeling",
    "supervisely": "supervisely",
}


def adapter(spec: RemoteSpec, http: Http) -> Adapter:
    """Return the adapter of a spec's contract."""
    module = import_module(f"{__name__}.{_MODULES[spec.contract]}")
    make: Callable[[RemoteSpec, Http], Adapter] = module.ADAPTER
    return make(spec, http)


def joined(url: str, *parts: str) -> str:
    """Return an address below another one; a query stays at the end."""
    head, mark, query = url.partition("?")
    return "/".join([head.rstrip("/"), *parts]) + mark + query
