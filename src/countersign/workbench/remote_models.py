"""The models behind a URL that a workspace knows. A run takes them as ``remote:NAME``."""

from __future__ import annotations

import builtins
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.domain.errors import InvalidInput
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Model, PredictOptions, ReadsFiles
from countersign.models.remote import family, spec
from countersign.store import Store
from countersign.store import remote_models as records


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model behind a URL: its name, what is said of it (without the secret), its card."""

    name: str
    reference: str
    spec: Mapping[str, Any]
    card: ModelCard
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteTest:
    """What came of a test: what the server says of itself, and what the model says of one image."""

    answer: str
    seconds: float
    predictions: tuple[Prediction, ...] | None
    counts: Mapping[str, int]


class RemoteModels:
    """Lists, adds, edits, deletes and tests models behind a URL."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> builtins.list[RemoteModel]:
        """All models behind a URL, oldest first.

        >>> workspace.models.remote.list()
        []
        """
        with self._store.read() as c:
            return [_shown(row) for row in records.list_all(c)]

    def get(self, name: str) -> RemoteModel:
        """Return one by its name. Raises NotFound."""
        with self._store.read() as c:
            return _shown(records.get(c, name))

    def add(self, name: str, url: str, **said: Any) -> RemoteModel:
        """Keep a model behind a URL; ``said`` are the other parts of its description (see the guide).

        One of contract ``countersign`` is asked for its card. Raises InvalidInput, NameTaken, ModelError.

        >>> workspace.models.remote.add("signs", "http://127.0.0.1:9/predict", contract="plain",
        ...     tasks=["classification"], classes=["stop", "go"]).reference
        'remote:signs'
        """
        made = family.with_card(spec.from_data({**said, "url": url}, name), name)
        with self._store.write() as c:
            return _shown(records.create(c, name=name, spec=made.stored()))

    def edit(self, name: str, *, new_name: str = "", **said: Any) -> RemoteModel:
        """Change what is said of a model. A part that is not given stays; so does the secret.

        Where the address leads to another server the secret is forgotten: give it again. Raises NotFound,
        InvalidInput, NameTaken, ModelError.
        """
        with self._store.read() as c:
            old = spec.from_data(records.get(c, name).spec, name)
        data = {**old.stored(), "card": None, **said}
        new = spec.from_data(data, name)
        if new.origin() != old.origin():
            kept = {key for key in ("secret", "secret_env") if key not in said}
            new = new.model_copy(update=dict.fromkeys(kept, ""))
        new = family.with_card(new, new_name or name)
        with self._store.write() as c:
            return _shown(records.update(c, name, spec=new.stored(), new_name=new_name))

    def delete(self, name: str) -> RemoteModel:
        """Forget a model. Labels that it made stay, with where they came from. Raises NotFound."""
        with self._store.write() as c:
            return _shown(records.delete(c, name))

    def test(
        self,
        name: str,
        image: str | Path | None = None,
        *,
        min_confidence: float = 0.1,
        classes: Sequence[str] = (),
        task: str | None = None,
    ) -> RemoteTest:
        """Ask whether the server is there and, with an image, what the model says of it.

        ``task`` is for a model that does several things. Raises NotFound, ModelError, ImageError.
        """
        asked = PredictOptions(tuple(classes), min_confidence, task=Task(task) if task else None)
        with self._store.read() as c:
            said = spec.from_data(records.get(c, name).spec, name)
        began = time.monotonic()
        answer = family.check(said)
        if image is None:
            return RemoteTest(answer, time.monotonic() - began, None, {})
        model = family.connect(said, name)
        try:
            if not isinstance(model, Model) or not isinstance(model, ReadsFiles):
                raise InvalidInput(f"{name!r} does not label whole images", remedy="Test it without an image.")
            picture: Any = model.read(Path(image).expanduser())
            began = time.monotonic()
            found = model.predict([picture], asked)[0]
        finally:
            model.close()
        return RemoteTest(answer, time.monotonic() - began, tuple(found), asked.tally.counts())


def _shown(row: records.RemoteRow) -> RemoteModel:
    from countersign.models.registry import Reference

    said = spec.from_data(row.spec, row.name)
    card = family.FAMILY.card(Reference(row.name, "remote", row.name, spec=row.spec))
    return RemoteModel(row.name, f"remote:{row.name}", said.public(), card, row.created_at)
