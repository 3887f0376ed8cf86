"""Editing labels one by one or in batches, as an editor on a screen does.

Operations are done in order, in one transaction. One that cannot be done (somebody else changed the label since,
it is gone, the geometry does not fit the image) is left out and says why; the others are done. A batch with a key is
done once, however often it comes. Labels of a run in review follow the rules of the review: an edit promotes, a
deletion rejects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import orjson

from countersign.domain import errors
from countersign.domain import mask as masks
from countersign.domain.errors import Conflict, CountersignError, GeometryError, InvalidInput, NotFound, Outdated
from countersign.domain.geometry import Geometry, Mask
from countersign.domain.image import Project
from countersign.domain.label import Check, Label, LabelState, Origin, Provenance, Verb
from countersign.store import Store, classes, client_keys, editions, fields, history, images, labels
from countersign.store import review as reviews


@dataclass(frozen=True, slots=True)
class Create:
    """Make a label. ``client_id`` is the caller's own name for it."""

    image_id: int
    field: str
    label: Label
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Change what ``values`` has of a label: ``class_name``, ``geometry``, ``attributes``, ``state``, ``made_with``.

    ``made_with`` is a provenance that names the model which helped a person with the new geometry, or None for none.

    ``label_id`` or, for a label that this batch makes, ``client_id``. ``expected`` is the version that was seen.
    """

    values: Mapping[str, Any]
    label_id: int | None = None
    client_id: str = ""
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a label; one that a run proposed is rejected. It is no error if it is gone already."""

    label_id: int | None = None
    client_id: str = ""
    expected: int | None = None


Operation: TypeAlias = Create | Update | Delete


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation. ``error`` is None if it was done."""

    label_id: int | None
    client_id: str
    error: CountersignError | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a batch: an outcome for every operation, the changes it made, whether it had come before."""

    outcomes: list[Outcome]
    changes: list[int]
    replayed: bool = False


def edit(
    store: Store,
    project: Project,
    operations: Sequence[Operation],
    *,
    actor: str,
    key: str = "",
    request: bytes = b"",
    note: str = "",
) -> Edited:
    """Do the operations; see the module. ``request`` is what came under ``key``, to tell a second use of it.

    Raises Conflict for a key that came with another request before.
    """
    digest = hashlib.sha256(request).hexdigest()
    with store.write() as c:
        if key and (known := client_keys.find(c, project.id, key)) is not None:
            if known.digest != digest:
                raise Conflict(f"The key {key!r} came with other operations before", remedy="Make a new key.")
            return _replayed(known.answer)
        done = _Batch(c, project, actor, note).do(operations)
        if key:
            client_keys.keep(c, project.id, key, client_keys.Answer(digest, _kept(done)))
    return done


@dataclass
class _Batch:
    """One batch while it is being done, on an open connection."""

    c: Any
    project: Project
    actor: str
    note: str = ""
    made: dict[str, int] = field(default_factory=dict)
    changes: dict[tuple[int, Verb], int] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)

    def do(self, operations: Sequence[Operation]) -> Edited:
        outcomes: list[Outcome] = []
        at = 0
        while at < len(operations):
            group = _creates_from(operations, at)
            if len(group) > 1 and (found := self._create_all(group)) is not None:
                outcomes += found
                at += len(group)
                continue
            outcomes.append(self._one(operations[at]))
            at += 1
        changes = editions.forget_empty(self.c, [*self.changes.values(), *self.others])
        return Edited(outcomes, changes)

    def _one(self, operation: Operation) -> Outcome:
        label_id = None
        try:
            with self.c.begin_nested():
                match operation:
                    case Create():
                        label_id = self._create(operation)
                    case Update():
                        label_id = self._id(operation)
                        self._update(label_id, operation)
                    case Delete():
                        label_id = self._id(operation)
                        self._delete(label_id, operation)
        except CountersignError as error:
            self._drop_rolled_back()
            return Outcome(label_id or getattr(operation, "label_id", None), operation.client_id, error)
        self.touched.add(label_id)
        return Outcome(label_id, operation.client_id)

    def _create_all(self, group: Sequence[Create]) -> list[Outcome] | None:
        """Make many labels of one field at once; None if any of them cannot be made: then they go one by one."""
        try:
            with self.c.begin_nested():
                return self._insert(group)
        except CountersignError:
            self._drop_rolled_back()
            return None

    def _insert(self, group: Sequence[Create]) -> list[Outcome]:
        target = self._field(group[0].field)
        sizes = {image.id: image for image in images.by_ids(self.c, {item.image_id for item in group})}
        for item in group:
            image = sizes.get(item.image_id)
            if image is None or image.project_id != self.project.id:
                raise NotFound("image of the project with the id", item.image_id)
            check_fits(item.label.geometry, image.width, image.height)
        classes.ensure(self.c, self.project.id, dict.fromkeys(item.label.class_name for item in group))
        change = self._change(target, Verb.CREATE)
        labels.add(self.c, target, [(item.image_id, item.label) for item in group], change_id=change)
        ids = editions.newest_of(self.c, change, len(group))
        self.made.update(
            {item.client_id: label_id for item, label_id in zip(group, ids, strict=True) if item.client_id}
        )
        return [Outcome(label_id, item.client_id) for item, label_id in zip(group, ids, strict=True)]

    def _create(self, operation: Create) -> int:
        label_id = self._insert([operation])[0].label_id
        assert label_id is not None
        return label_id

    def _update(self, label_id: int, operation: Update) -> None:
        found, under_review = self._seen(label_id, operation.expected)
        values = dict(operation.values)
        state = values.pop("state", None)
        helped = "made_with" in values
        by = values.pop("made_with", None)
        if "geometry" in values:
            assert found.image_id is not None
            image = images.get(self.c, found.image_id)
            check_fits(values["geometry"], image.width, image.height)
        if "class_name" in values:
            classes.ensure(self.c, self.project.id, [values["class_name"]])
        field_id = labels.field_of(self.c, label_id)
        if under_review:
            self._review(field_id, label_id, values, state)
            return
        if state is not None:
            raise InvalidInput("This label is no run's, so it has no verdict", remedy="Leave its state out.")
        if found.provenance is not None and found.provenance.origin is Origin.MODEL:
            values |= {"verified_by": self.actor, "verified_how": Check.EDITED}
        elif helped:
            values["provenance"] = _with_help(found.provenance or Provenance(Origin.PERSON, self.actor), by)
        labels.update(self.c, label_id, change_id=self._change(field_id, Verb.EDIT), **values)

    def _review(self, field_id: int, label_id: int, values: dict[str, Any], state: LabelState | None) -> None:
        """Edit or decide on a label of a run, by the rules of its review."""
        shape = {name: values[name] for name in ("class_name", "geometry") if values.get(name) is not None}
        if shape:
            reviews.edit(self.c, field_id, label_id, actor=self.actor, **shape)
            self.others.append(editions.versions(self.c, [label_id])[label_id])
        if "attributes" in values:
            change = self._change(field_id, Verb.EDIT)
            labels.update(self.c, label_id, change_id=change, attributes=values["attributes"])
        if state is not None:
            self._decide(field_id, label_id, state)

    def _decide(self, field_id: int, label_id: int, to: LabelState) -> None:
        now, ids = labels.get(self.c, label_id).state, [label_id]
        if to is LabelState.PROMOTED:
            self.others.append(reviews.promote(self.c, field_id, actor=self.actor, ids=ids).id)
        if to is LabelState.REJECTED or (to is LabelState.PROPOSED and now is LabelState.PROMOTED):
            self.others.append(reviews.reject(self.c, field_id, actor=self.actor, ids=ids).id)
        if to is LabelState.PROPOSED:
            self.others.append(reviews.restore(self.c, field_id, actor=self.actor, ids=ids).id)

    def _delete(self, label_id: int, operation: Delete) -> None:
        if editions.place(self.c, label_id) is None and editions.was_deleted(self.c, label_id):
            return
        found, under_review = self._seen(label_id, operation.expected)
        field_id = labels.field_of(self.c, label_id)
        if not under_review:
            labels.delete(self.c, [label_id], self._change(field_id, Verb.DELETE))
        elif found.state is not LabelState.REJECTED:
            self._decide(field_id, label_id, LabelState.REJECTED)

    def _seen(self, label_id: int, expected: int | None) -> tuple[Label, bool]:
        """Return a label as it is, and whether it is a run's under review. Raises NotFound, Outdated."""
        where = editions.place(self.c, label_id)
        if where is None:
            if editions.was_deleted(self.c, label_id):
                by = editions.last_actor(self.c, label_id)
                what = f"The label {label_id} was deleted meanwhile"
                raise Outdated(what, remedy="Draw it again if it is needed.", by=by)
            raise NotFound("label", label_id)
        row = fields.row(self.c, where[0])
        if row.project_id != self.project.id:
            raise NotFound("label", label_id)
        now = editions.versions(self.c, [label_id])[label_id]
        if expected is not None and now != expected and label_id not in self.touched:
            by = history.get(self.c, now).actor
            raise Outdated(f"The label {label_id} was changed by {by} meanwhile", label_id, by=by)
        return labels.get(self.c, label_id), row.run_id is not None and not row.closed

    def _id(self, operation: Update | Delete) -> int:
        if operation.label_id is not None:
            return operation.label_id
        if operation.client_id not in self.made:
            raise InvalidInput(
                f"No operation before makes the label {operation.client_id!r}", remedy="Give label_id instead."
            )
        return self.made[operation.client_id]

    def _field(self, name: str) -> int:
        return fields.ensure(self.c, self.project.id, name).id

    def _change(self, field_id: int, verb: Verb) -> int:
        if (field_id, verb) not in self.changes:
            self.changes[field_id, verb] = history.begin(
                self.c, self.project.id, verb, self.actor, field_id=field_id, note=self.note
            )
        return self.changes[field_id, verb]

    def _drop_rolled_back(self) -> None:
        """Forget changes that a rolled back operation began."""
        for key, change in list(self.changes.items()):
            try:
                history.actor_of(self.c, change)
            except NotFound:
                del self.changes[key]


def _with_help(origin: Provenance, by: Provenance | None) -> Provenance:
    """Return where a label came from first, with the model that helped with it (None: no model did)."""
    by = by or Provenance(origin.origin)
    return replace(origin, model=by.model, model_version=by.model_version, weights_hash=by.weights_hash)


def _creates_from(operations: Sequence[Operation], at: int) -> list[Create]:
    found: list[Create] = []
    for operation in operations[at:]:
        if not isinstance(operation, Create) or (found and operation.field != found[0].field):
            break
        found.append(operation)
    return found


def check_fits(geometry: Geometry | None, width: int, height: int) -> None:
    """Raise GeometryError for a mask of another size than the image, or with damaged runs."""
    if not isinstance(geometry, Mask):
        return
    if (geometry.width, geometry.height) != (width, height):
        raise GeometryError(f"the mask is {geometry.width}x{geometry.height}, the image is {width}x{height}")
    if not masks.valid(geometry):
        raise GeometryError("the runs of the mask do not fill the image exactly")


def _kept(done: Edited) -> dict[str, Any]:
    """Return what is stored under a key."""
    return {
        "changes": done.changes,
        "outcomes": [
            [
                item.label_id,
                item.client_id,
                item.error and [type(item.error).__name__, item.error.what, item.error.remedy, _by(item.error)],
            ]
            for item in done.outcomes
        ],
    }


def _replayed(kept: Mapping[str, Any]) -> Edited:
    outcomes = [
        Outcome(label_id, client_id, _error_of(*error) if error else None)
        for label_id, client_id, error in kept["outcomes"]
    ]
    return Edited(outcomes, list(kept["changes"]), replayed=True)


def _by(error: CountersignError) -> str:
    return error.by if isinstance(error, Outdated) else ""


def _error_of(kind: str, what: str, remedy: str, by: str = "") -> CountersignError:
    made: CountersignError = getattr(errors, kind).__new__(getattr(errors, kind))
    made.__dict__.update(what=what, remedy=remedy, **({"current": None, "by": by} if kind == "Outdated" else {}))
    made.args = (what, remedy)
    return made


def digest_of(operations: Any) -> bytes:
    """Return bytes that are equal for equal requests, given as JSON values."""
    return orjson.dumps(operations, option=orjson.OPT_SORT_KEYS)
