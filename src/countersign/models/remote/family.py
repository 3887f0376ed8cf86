"""The family of models behind a URL: ``remote:NAME`` for those kept in a workspace, ``http://HOST:PORT/NAME`` for one
that ``countersign serve-model`` serves. Only the latter's card costs a request."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from countersign.domain.errors import InvalidInput, ModelError, NotFound
from countersign.domain.model import ModelCard
from countersign.models.registry import Reference
from countersign.models.remote import spec as specs

if TYPE_CHECKING:
    from countersign.models.remote.model import Remote
    from countersign.models.remote.spec import RemoteSpec


@dataclass(frozen=True, slots=True)
class RemoteFamily:
    """Models behind a URL."""

    name: str = "remote"
    option_names: tuple[str, ...] = ()

    def names(self) -> Sequence[str]:
        return ()

    def card(self, reference: Reference) -> ModelCard:
        found = _spec(reference)
        if found.contract != "countersign":
            return specs.card_of(found, reference.text)
        if found.card is not None:
            from countersign.models.remote.adapters.own import presented, read_card

            return presented(read_card(found.card), found, reference.text)
        return ask_card(found, reference.text)

    def load(self, reference: Reference, *, device: str | None) -> Remote:
        return connect(_spec(reference), reference.text)


FAMILY = RemoteFamily()


def connect(spec: RemoteSpec, name: str) -> Remote:
    """Return the model that a spec describes, with the card as its server tells it now. Raises ModelError."""
    from countersign.models.remote.adapters import adapter
    from countersign.models.remote.http import Http
    from countersign.models.remote.model import make

    http = Http(spec)
    try:
        asked = adapter(spec, http)
        return make(spec, http, asked, asked.card(name))
    except BaseException:
        http.close()
        raise


def ask_card(spec: RemoteSpec, name: str) -> ModelCard:
    """Return a model's card as its server tells it. Raises ModelError."""
    model = connect(spec, name)
    model.close()
    return model.card


def check(spec: RemoteSpec) -> str:
    """Ask whether a model's server is there; return what it says. Raises ModelError."""
    from countersign.models.remote.adapters import adapter
    from countersign.models.remote.http import Http

    http = Http(spec)
    try:
        return adapter(spec, http).check()
    finally:
        http.close()


def _spec(reference: Reference) -> RemoteSpec:
    if reference.spec is not None:
        return specs.from_data(reference.spec, reference.name)
    parts = urlsplit(reference.text)
    if parts.scheme not in ("http", "https"):
        raise NotFound("model behind a URL", reference.name, remedy="'countersign models url list' lists them.")
    base, _, name = parts.path.rstrip("/").rpartition("/")
    if base.endswith("/v1/models"):  # the address of its card
        base = base.removesuffix("/v1/models")
    try:
        found = specs.RemoteSpec(url=f"{parts.scheme}://{parts.netloc}{base}", model=unquote(name))
    except ValueError:
        raise InvalidInput(
            "The address of a model is http://HOST:PORT/NAME, without a user's name or password",
            remedy="'countersign models url add' takes other addresses, with a secret where one is needed.",
        ) from None
    # A token for references that are typed: the environment has it, the reference never.
    token = os.environ.get("COUNTERSIGN_MODEL_TOKEN", "")
    return found.model_copy(update={"secret": f"Bearer {token}"}) if token and _private(parts.hostname) else found


def _private(host: str | None) -> bool:
    """Whether a host is this computer: a token of the environment is for no other one."""
    return host in ("localhost", "127.0.0.1", "::1")


def with_card(spec: RemoteSpec, name: str) -> RemoteSpec:
    """Return a spec of our own contract with what its server says, so that its card costs no request later on.

    The address may be that of the server, or of the model as ``serve-model`` prints it (``http://HOST:PORT/NAME``).
    Raises ModelError where the server cannot be asked.
    """
    if spec.contract != "countersign":
        return spec
    split = None if spec.model else _split(spec)
    try:
        return _told(spec, name)
    except ModelError as error:
        if split is None or error.__cause__ is not None:  # a server that is away is not asked twice
            raise
    return _told(split, name)


def _split(spec: RemoteSpec) -> RemoteSpec | None:
    """Return the spec with the last part of its address as the model's name; None where there is none."""
    parts = urlsplit(spec.url)
    base, _, last = parts.path.rstrip("/").rpartition("/")
    if not last:
        return None
    return spec.model_copy(update={"url": f"{parts.scheme}://{parts.netloc}{base}", "model": unquote(last)})


def _told(spec: RemoteSpec, name: str) -> RemoteSpec:
    from countersign.models.remote.adapters import adapter
    from countersign.models.remote.http import Http

    http = Http(spec)
    try:
        plain = spec.model_copy(update={"rename": {}, "description": "", "tasks": (), "card": None})
        asked = adapter(plain, http)
        told = asked.card(name)
        served = str(told.details.get("served_name", ""))
        card = dataclasses.replace(
            told, family=str(told.details.get("served_family", told.family)), name=served or name
        )
        return spec.model_copy(update={"card": card.to_data(), "model": spec.model or served})
    finally:
        http.close()
