"""The models that this computer can use whatever the workspace: the catalogue, and the weights in the models folder."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from countersign.domain.errors import CountersignError, InvalidInput, ModelError, NotFound
from countersign.domain.model import ModelCard, Task
from countersign.models import catalogue, registry
from countersign.models.folder import licences, own, pickles, pulling, records, weights
from countersign.models.folder.weights import Checked, Installed
from countersign.workbench.location import actor
from countersign.workbench.progress import OnProgress, Progress

CATALOGUE, OWN, FETCHED, WORKSPACE = "catalogue", "own", "fetched", "workspace"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that can be used. ``origin`` is ``catalogue``, ``own``, ``fetched`` (from the hub) or ``workspace``.

    ``installed`` says where its files are, None where they must be fetched first. ``licence_due`` is True where
    somebody must accept its licence before.
    """

    card: ModelCard
    origin: str
    installed: Installed | None
    licence_due: bool = False

    @property
    def name(self) -> str:
        """The name by which runs take it."""
        return self.card.name

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        found = self.installed
        here = found and {"folder": str(found.folder), "where": found.where, "bytes": found.bytes, "files": found.files}
        return {
            "name": self.name,
            "origin": self.origin,
            "installed": here,
            "licences": list(licences.to_accept(self.card)),
            "licence_due": self.licence_due,
            "card": self.card.to_data(),
        }


class Shelf:
    """The catalogue of models, and what of it is on this computer. Nothing is fetched but by ``pull``."""

    def catalogue(
        self, *, task: str = "", vocabulary: str = "", licence: str = "", installed: bool | None = None
    ) -> list[Entry]:
        """All models that can be used, or some.

        ``task`` is one of theirs. ``vocabulary`` is ``zero-shot``, ``fixed``, or a class that a model must know.
        ``licence`` is ``permissive``, ``restricted``, or a part of a licence's name. Raises InvalidInput for a task
        that there is none of.

        >>> workspace.models.catalogue(task="detection", installed=True)
        []
        """
        found = self._entries()
        if task:
            found = (entry for entry in found if _task(task) in entry.card.tasks)
        if vocabulary:
            found = (entry for entry in found if _knows(entry.card, vocabulary))
        if licence:
            found = (entry for entry in found if _is_under(entry.card, licence))
        if installed is not None:
            found = (entry for entry in found if (entry.installed is not None) == installed)
        return list(found)

    def entry(self, name: str) -> Entry:
        """One model: of the catalogue, or a family's own name for it (``timm:resnet18``, ``detector:owner/name``).

        Raises NotFound.

        >>> workspace.models.entry("no-such-model")
        Traceback (most recent call last):
        countersign.domain.errors.NotFound: There is no model 'no-such-model'...
        """
        return _entry(self._card(name))

    def card(self, reference: str) -> ModelCard:
        """Return the card of any model that a run could take: a path, or a family's own name. Raises NotFound.

        >>> workspace.models.card("timm:resnet18?weights=random").family
        'timm'
        """
        import_module("countersign.runs.catalogue")  # with it saved models can be opened, too
        return registry.card(reference)

    def pull(
        self,
        name: str,
        *,
        accept_licence: bool = False,
        allow_pickles: Sequence[str] = (),
        again: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Entry:
        """Fetch a model's weights into the models folder; what was broken off goes on. Returns the model.

        A model that it cannot work without (YOLO-World: CLIP, to read words) comes with it.
        ``accept_licence`` says that you accept its licence, which is recorded with your name. Raises NotFound, and
        ModelError: without a network it names each file, its address and where to put it.
        """
        card = self._card(name)
        if registry.code_of(name) is not None and accept_licence:
            return self.accept_licence(name)  # code has no weights: there is nothing to fetch
        pulling.pull(
            card,
            by=self._user,
            accept_licence=accept_licence,
            allow_pickles=allow_pickles,
            again=again,
            on_stage=_telling(on_progress),
        )
        for other in card.details.get("with", ()):
            if weights.find(self._card(other)) is None:
                pulling.pull(self._card(other), by=self._user, on_stage=_telling(on_progress))
        return _entry(self._described(card))

    def _described(self, card: ModelCard) -> ModelCard:
        """Return the card of a model that is here now; of one outside the catalogue only its files say what it does."""
        record = records.read(records.place(card.name))
        if card.tasks or record is None:
            return card
        try:
            found = self._read_card(f"{card.family}:{card.hub_id}")
        except CountersignError:
            return card  # its files are of no use: a run says why
        found = dataclasses.replace(found, name=card.name, hub_id=card.hub_id, source=card.source)
        with suppress(ModelError):  # the folder may be read-only
            records.write(records.place(card.name), dataclasses.replace(record, card=found))
        return found

    def add(
        self,
        path: str | Path,
        *,
        name: str = "",
        classes: Sequence[str] = (),
        licence: str = "",
        description: str = "",
        reference: str = "",
        link: bool = False,
        allow_pickle: bool = False,
    ) -> Entry:
        """Give a file or folder of your own a name among the models, by a copy or (``link``) where it is.

        ``classes`` are the names of its outputs in order, ``reference`` the architecture where the file does not say
        it (``timm:resnet18``). Raises ModelError, NameTaken, InvalidInput.
        """
        said = own.Said(name, tuple(classes), licence, description, reference)
        return _entry(
            own.add(Path(path), said, by=self._user, link=link, allow_pickle=allow_pickle, read_card=self._read_card)
        )

    def remove(self, name: str) -> int:
        """Delete a model's files from the models folder, and nothing outside it. Returns the bytes that are free again.

        Raises NotFound, Conflict.

        >>> workspace.models.remove("no-such-model")
        Traceback (most recent call last):
        countersign.domain.errors.NotFound: There is no model in the models folder 'no-such-model'...
        """
        return weights.remove(self._place_name(name))

    def check(self, *names: str, on_progress: OnProgress | None = None) -> list[Checked]:
        """Hash the files of some models again (all that are here, if none is named), and say which are damaged.

        >>> workspace.models.check()
        []
        """
        cards = (
            [self._card(name) for name in names]
            if names
            else [entry.card for entry in self._entries() if entry.installed and entry.origin != WORKSPACE]
        )
        total = sum(found.bytes for card in cards if (found := weights.installed(card)))
        done = 0

        def step(count: int) -> None:
            nonlocal done
            done += count
            if on_progress is not None:
                on_progress(Progress("check", done, total, unit="bytes"))

        checked = [item for card in cards for item in weights.check(card, step)]
        for card in cards:
            self._described(card)
        return checked

    def disk_usage(self) -> dict[str, int]:
        """Bytes that each model takes in the models folder.

        >>> workspace.models.disk_usage()
        {}
        """
        return dict(weights.usage())

    def allow_pickle(self, file: str | Path) -> str:
        """Allow one pickle, by its content, to be opened from now on. Returns its SHA-256. Raises ModelError.

        >>> _ = Path("net.pt").write_bytes(b"weights that you trust")
        >>> workspace.models.allow_pickle("net.pt")[:8]
        'b26fc10b'
        """
        return pickles.allow(Path(file).expanduser(), self._user)

    def accept_licence(self, name: str) -> Entry:
        """Record that you accept a model's licence, without fetching it. Raises NotFound."""
        card = self._card(name)
        licences.accept(card, self._user)
        return _entry(card)

    @property
    def _user(self) -> str:
        return actor()

    def _read_card(self, reference: str) -> ModelCard:
        """Return the card of a model that is opened by its path. In a server another process does it."""
        return registry.card(reference)

    def _entries(self) -> Iterator[Entry]:
        cards = {card.name: card for card in catalogue.cards()}
        own_names = {card.name for card in weights.added()}
        for card in cards.values():
            yield _entry(card, OWN if card.name in own_names else CATALOGUE)
        for record in weights.recorded():
            if record.card.name not in cards:
                yield _entry(record.card, FETCHED)

    def _card(self, name: str) -> ModelCard:
        if (card := catalogue.find(name)) is not None:
            return card
        if (code := registry.code_of(name)) is not None:
            return code
        if (record := weights.record_of(name)) is not None:
            return record.card
        head, _, rest = name.partition(":")
        if rest and head in registry.families() and (card := self._card_of_family(name)) is not None:
            return card
        raise NotFound("model", name, remedy=_near(name))

    def _card_of_family(self, name: str) -> ModelCard | None:
        """Return the card of a family's own name for a model, None where it says of no place to fetch it from."""
        from countersign.models.parts import hub_loading
        from countersign.models.parts.hub_family import HubFamily

        reference = registry.parse(name)
        is_repository = _REPOSITORY.fullmatch(reference.name) is not None
        if not (is_repository and isinstance(registry.family(reference.family), HubFamily)):
            card = self._read_card(name)
            if card.hub_id or any(file.url for file in card.files):
                return card
        if not is_repository:
            return None
        card = hub_loading.hub_card(reference)
        record = records.read(records.place(card.name))
        return record.card if record is not None and record.card.hub_id == card.hub_id else card

    def _place_name(self, name: str) -> str:
        try:
            return self._card(name).name
        except NotFound:
            return name


def _near(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, [card.name for card in catalogue.cards()], n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "All there are: countersign models list"


def _entry(card: ModelCard, origin: str = "") -> Entry:
    if not origin:
        record = weights.record_of(card.name)
        is_own = record is not None and record.is_own
        origin = OWN if is_own else CATALOGUE if catalogue.find(card.name) else FETCHED
    due = origin != OWN and licences.is_due(card)
    return Entry(card, origin, weights.installed(card), due)


def _telling(on_progress: OnProgress | None) -> pulling.OnStage | None:
    if on_progress is None:
        return None

    def tell(stage: pulling.Stage) -> None:
        note = stage.file or "another process fetches it"
        on_progress(Progress("download", stage.done, stage.total, note, "bytes"))

    return tell


def _task(name: str) -> Task:
    try:
        return Task(name.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError as error:
        raise InvalidInput(
            f"there is no task {name!r}", remedy=f"Tasks: {', '.join(task.value for task in Task)}."
        ) from error


def _knows(card: ModelCard, vocabulary: str) -> bool:
    if vocabulary in ("zero-shot", "zero_shot"):
        return card.zero_shot
    if vocabulary == "fixed":
        return not card.zero_shot and bool(card.classes)
    return card.zero_shot or vocabulary.lower() in (name.lower() for name in card.classes)


def _is_under(card: ModelCard, licence: str) -> bool:
    if licence in ("permissive", "restricted"):
        return bool(licences.to_accept(card)) == (licence == "restricted")
    return any(licence.lower() in text.lower() for text in (card.licence, card.code_licence))


def folder_entry(card: ModelCard, folder: Path) -> Entry:
    """Return a model of the workspace, with the folder that it is in, as an entry."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Entry(card, WORKSPACE, Installed(folder, WORKSPACE, sum(sizes), len(sizes)))
