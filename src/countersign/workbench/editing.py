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

from countersign.domain import mask as masks
from countersign.domain.errors import Conflict, CountersignError, GeometryError, InvalidInput, NotFound, Outdated
from countersign.domain.geometry import Geometry, Mask
from countersign.domain.image import Project
from countersign.domain.label import Check, Label, LabelState, Origin, Provenance, Verb
from countersign.store import Store, classes, client_keys, editions, fields, history, images, labels
from countersign.store import review as reviews
from countersign.store.editions import Edition
from countersign.workbench import outcomes
from countersign.workbench.outcomes import Edited, Outcome


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
            return outcomes.replayed(known.answer)
        done = _Batch(c, project, actor, note).do(operations)
        if key:
            client_keys.keep(c, project.id, key, client_keys.Answer(digest, outcomes.kept(done)))
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
        found: list[Outcome] = []
        while (at := len(found)) < len(operations):
            creates, updates = _creates_from(operations, at), _updates_from(operations, at)
            if len(creates) > 1 and (made := self._create_all(creates)) is not None:
                found += made
            elif len(updates) > 1:
                found += self._update_all(updates)
            else:
                found.append(self._one(operations[at]))
        changes = editions.forget_empty(self.c, [*self.changes.values(), *self.others])
        return Edited(found, changes)

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

    def _update_all(self, group: Sequence[Update]) -> list[Outcome]:
        """Do updates of different labels: together what nothing speaks against, the others one by one."""
        done: set[int | None] = set()
        try:
            with self.c.begin_nested():
                done.update(self._update_plain(group))
        except CountersignError:  # each will say for itself what is wrong with it
            self._drop_rolled_back()
            done.clear()
        ids = [self._known(item) for item in group]
        return [
            Outcome(label_id, item.client_id) if label_id in done else self._one(item)
            for label_id, item in zip(ids, group, strict=True)
        ]

    def _update_plain(self, group: Sequence[Update]) -> list[int]:
        """Write the updates that are of this project, of open fields, and not outdated; return their labels' ids."""
        known = {label_id: item for item in group if (label_id := self._known(item)) is not None}
        if len(known) < len(group):  # one that is not there, or one by two names: their order matters
            return []
        seen = editions.held(self.c, known)
        rows = {field_id: fields.row(self.c, field_id) for field_id in {found.field_id for found in seen.values()}}
        plain: dict[int, dict[int, dict[str, Any]]] = {}
        for label_id, found in seen.items():
            row, expected = rows[found.field_id], known[label_id].expected
            fresh = expected is None or expected == found.version or label_id in self.touched
            if row.project_id == self.project.id and not row.closed and fresh:
                plain.setdefault(row.id, {})[label_id] = dict(known[label_id].values)
        self._leave_out_unfit(plain, seen)
        for field_id, values in plain.items():
            if rows[field_id].run_id is not None:
                self._review_edits(field_id, values)
                continue
            for label_id in values:
                if seen[label_id].by_model:
                    values[label_id] |= {"verified_by": self.actor, "verified_how": Check.EDITED}
            labels.update_many(self.c, field_id, values, change_id=self._change(field_id, Verb.EDIT))
        done = [label_id for values in plain.values() for label_id in values]
        self.touched.update(done)
        return done

    def _leave_out_unfit(self, plain: Mapping[int, dict[int, dict[str, Any]]], seen: Mapping[int, Edition]) -> None:
        """Take out edits with masks that do not fit their images."""
        painted = [(values, label_id, values[label_id]["geometry"]) for values in plain.values() for label_id in values
                   if isinstance(values[label_id].get("geometry"), Mask)]  # fmt: skip
        at = {seen[label_id].image_id for _, label_id, _ in painted}
        sizes = {image.id: (image.width, image.height) for image in images.by_ids(self.c, at)} if at else {}
        for values, label_id, mask in painted:
            if _fault(mask, *sizes[seen[label_id].image_id]):
                del values[label_id]

    def _review_edits(self, field_id: int, values: Mapping[int, Mapping[str, Any]]) -> None:
        """Edit labels of a run by the rules of its review: another class or shape promotes, attributes alone do not."""
        corrected: dict[int, Mapping[str, Any]] = {}
        noted: dict[int, Mapping[str, Any]] = {}
        for label_id, given in values.items():
            kept = {name: value for name, value in given.items() if name == "attributes" or value is not None}
            if kept:
                (noted if kept.keys() == {"attributes"} else corrected)[label_id] = kept
        run_id = fields.row(self.c, field_id).run_id
        if corrected:
            change = self._change(field_id, Verb.EDIT, run_id)
            reviews.edit_many(self.c, field_id, corrected, actor=self.actor, change_id=change)
        if noted:
            labels.update_many(self.c, field_id, noted, change_id=self._change(field_id, Verb.EDIT, run_id))

    def _review(self, field_id: int, label_id: int, values: dict[str, Any], state: LabelState | None) -> None:
        """Edit or decide on a label of a run, by the rules of its review."""
        self._review_edits(field_id, {label_id: values})
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

    def _known(self, operation: Update) -> int | None:
        return operation.label_id if operation.label_id is not None else self.made.get(operation.client_id)

    def _field(self, name: str) -> int:
        return fields.ensure(self.c, self.project.id, name).id

    def _change(self, field_id: int, verb: Verb, run_id: int | None = None) -> int:
        if (field_id, verb) not in self.changes:
            self.changes[field_id, verb] = history.begin(
                self.c, self.project.id, verb, self.actor, field_id=field_id, note=self.note, run_id=run_id
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


def _updates_from(operations: Sequence[Operation], at: int) -> list[Update]:
    """Updates in a row, of different labels, of their content alone: none of them depends on another."""
    found: list[Update] = []
    met: set[int | str] = set()
    for operation in operations[at:]:
        if not isinstance(operation, Update) or not operation.values.keys().isdisjoint(("state", "made_with")):
            break
        which = operation.client_id if operation.label_id is None else operation.label_id
        if which in met:
            break
        met.add(which)
        found.append(operation)
    return found


def check_fits(geometry: Geometry | None, width: int, height: int) -> None:
    """Raise GeometryError for a mask of another size than the image, or with damaged runs."""
    if isinstance(geometry, Mask) and (fault := _fault(geometry, width, height)):
        raise GeometryError(fault)


def _fault(mask: Mask, width: int, height: int) -> str:
    """Return why a mask does not fit an image of this size; empty if it does."""
    if (mask.width, mask.height) != (width, height):
        return f"the mask is {mask.width}x{mask.height}, the image is {width}x{height}"
    return "" if masks.valid(mask) else "the runs of the mask do not fill the image exactly"


def digest_of(operations: Any) -> bytes:
    """Return bytes that are equal for equal requests, given as JSON values."""
    return orjson.dumps(operations, option=orjson.OPT_SORT_KEYS)
