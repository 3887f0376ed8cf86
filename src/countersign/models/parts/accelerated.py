"""Families that let another engine compute their networks: which networks can, and how their inputs get there.

A network can where it takes one tensor, and every image becomes one of the same shape: a processor that keeps the
proportions of images makes tensors of any shape, and an engine is measured for one. What the engines are stands in
``acceleration``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models import registry
from countersign.models.contract import Anything, Pixels
from countersign.models.parts import acceleration
from countersign.models.parts.acceleration import Choice, Difference
from countersign.models.parts.batches import Prepared
from countersign.models.parts.engines import Runner
from countersign.models.parts.hub_family import HubFamily
from countersign.models.registry import Reference

OPTION = "engine"
ANY_SIZE = "the network takes images of any size"
_SIZES = ((48, 64), (64, 48), (40, 40), (32, 96))


def asked(reference: Reference) -> str:
    """Return the engine that a reference asks for, else the usual one. Raises ModelError."""
    return reference.option(OPTION, acceleration.ENGINES, acceleration.usual())


def runner(
    network: Any,
    prepare: Callable[[Pixels], Prepared],
    card: ModelCard,
    device: str,
    engine: str,
    *,
    key: str,
    wrap: Callable[[Any], Any] | None = None,
    difference: Difference | None = None,
) -> tuple[Runner | None, ModelCard]:
    """Return what computes the network in place of it, None where torch does; and the card, which says so.

    ``prepare`` makes the input named ``key`` of one image. ``wrap`` makes a module of one tensor of the network.
    Raises ModelError for an engine that is asked for by name and cannot be had.
    """
    made = [prepare(_picture(size)) for size in _SIZES]
    shapes = {tuple(tuple(value.shape) for value in item.inputs.values()) for item in made}
    reason = ""
    if len(shapes) > 1:
        reason = ANY_SIZE
    elif unlike := sorted(set(made[0].inputs) - {key, "pixel_mask"}):
        reason = f"the network takes more than an image: {', '.join(unlike)}"
    if reason:
        return None, stays(card, engine, reason)
    example = made[0].inputs[key][0].float().numpy()
    run, choice = acceleration.accelerate(
        wrap(network) if wrap else network,
        np.ascontiguousarray(example),
        weights_hash=card.weights_hash,
        device=device,
        engine=engine,
        difference=difference,
        name=card.name,
    )
    return (None if choice.engine == "torch" else run), _with(card, choice)


def shown(card: ModelCard) -> str:
    """Say in a line what computes a model on a CPU, without loading it; "" for families that know torch alone."""
    family = registry.family(card.family) if card.family in registry.families() else None
    if family is None or OPTION not in family.option_names:
        return ""
    if isinstance(family, Partly) and (reason := family.only_torch(card)):
        return f"torch ({reason})"
    if acceleration.usual() != "auto":
        return f"{acceleration.usual()} (COUNTERSIGN_ENGINE says so)"
    choice = acceleration.told(card.name, card.weights_hash)
    if choice is None:
        return "the fastest that agrees with torch; its first run of many images measures which"
    rates = ", ".join(f"{name} {rate:.3g}" for name, rate in choice.rates.items())
    return f"{choice.engine} ({choice.reason}{f'; images/s of one core: {rates}' if rates else ''})"


def stays(card: ModelCard, engine: str, reason: str) -> ModelCard:
    """Return the card of a network that only torch computes. Raises ModelError where another engine is asked for."""
    if engine not in ("auto", "torch"):
        raise ModelError(f"{card.name} cannot run on {engine}: {reason}", remedy="Use engine=torch.")
    return _with(card, Choice("torch", reason))


def _with(card: ModelCard, choice: Choice) -> ModelCard:
    return dataclasses.replace(card, details={**card.details, **choice.details()})


def _picture(size: tuple[int, int]) -> Pixels:
    """A soft picture of many colours."""
    rows, columns = (np.linspace(0, 255, side) for side in size)
    planes = [rows[:, None] + 0 * columns, 0 * rows[:, None] + columns, (rows[:, None] + columns) / 2]
    return np.stack(planes, axis=2).astype(np.uint8)


@runtime_checkable
class Partly(Protocol):
    """A family of which some models are computed by torch alone."""

    def only_torch(self, card: ModelCard) -> str:
        """Say why torch alone computes this model; "" where another engine may."""
        ...


@runtime_checkable
class Accelerated(Protocol):
    """A model that another engine may compute."""

    def choose_engine(self, engine: str) -> None:
        """Let another engine compute the network where that can be. Raises ModelError."""
        ...


class AcceleratedFamily(HubFamily):
    """A family of hub checkpoints whose models are ``Accelerated``: the option ``engine`` says by what."""

    option_names = (OPTION,)

    def load(self, reference: Reference, *, device: str | None) -> Anything:
        engine = asked(reference)
        model = super().load(reference, device=device)
        assert isinstance(model, Accelerated)
        model.choose_engine(engine)
        return model
