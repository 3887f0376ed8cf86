"""A project behind a server: images, fields, labels and their history. What works on them is in ``project_work``."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign import formats
from countersign.client import values
from countersign.client.project_work import ProjectWork
from countersign.domain.errors import Conflict, InvalidInput, NotFound
from countersign.domain.geometry import Box
from countersign.domain.image import Image
from countersign.domain.label import Change, Label, LabelClass
from countersign.domain.query import LabelFilter
from countersign.formats import ExportReport
from countersign.store.fields import FieldSummary
from countersign.workbench.as_json import geometry
from countersign.workbench.bringing import Import
from countersign.workbench.importing import ImagesImport
from countersign.workbench.label_import import LabelsImport
from countersign.workbench.progress import OnProgress
from countersign.workbench.project_base import TRUTH
from countersign.workbench.segmenting import Point, Segmented, signed
from countersign.workbench.selecting import Images, Selection

_PAGE = 1000


class Project(ProjectWork):
    """Images, classes, fields and runs that belong together. Made by ``Workspace.project``."""

    def import_path(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        field: str = TRUTH,
        images: str | Path | None = None,
        split: str = "",
        tags: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Import:
        """Import what is at a path: a folder of images, a label file or folder in any format, or both at once."""
        body = {"format": format, "field": field, "split": split, "tags": list(tags), "settings": dict(settings or {})}
        return values.everything_import(self._import("all", path, images, body, on_progress))

    def import_images(
        self, path: str | Path, *, split: str = "", tags: Sequence[str] = (), on_progress: OnProgress | None = None
    ) -> ImagesImport:
        """Add the image files below a folder. What is there already is not added twice."""
        return values.images_import(
            self._import("images", path, None, {"split": split, "tags": list(tags)}, on_progress)
        )

    def import_labels(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        field: str = TRUTH,
        images: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> LabelsImport:
        """Read labels of a file or folder into a field, for images that the project has."""
        body = {"format": format, "field": field, "settings": dict(settings or {})}
        return values.labels_import(self._import("labels", path, images, body, on_progress))

    def export(
        self,
        out: str | Path,
        *,
        field: str = TRUTH,
        format: str = "coco",
        images: Images = None,
        labels: LabelFilter | None = None,
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> ExportReport:
        """Write the labels of a field to a file or folder here. The report says what the format could not hold."""
        target, wanted = values.full(out), labels or LabelFilter()
        if target.exists() and not overwrite and (not target.is_dir() or any(target.iterdir())):
            raise Conflict(f"There is something at {out} already", remedy="Choose another place, or overwrite it.")
        body = {
            "field": field,
            "format": format,
            "query": values.query_text(self._query(images)),
            "classes": list(wanted.classes),
            "min_confidence": wanted.min_confidence,
            "max_confidence": wanted.max_confidence,
            "states": [state.name.lower() for state in wanted.states],
            "settings": dict(settings or {}),
        }
        done = self._transport.work(f"/projects/{self.id}/export", body, on_progress)
        self._fetch(done["download"], target, folder=formats.get(format).out == "folder")
        return values.export_report(done["result"])

    def images(self, images: Images = None, *, limit: int | None = None) -> list[Image]:
        """Return the images that are meant, by id."""
        found: list[Image] = []
        query, after = values.query_text(self._query(images)), ""
        while limit is None or len(found) < limit:
            size = _PAGE if limit is None else min(_PAGE, limit - len(found))
            body = {"query": query, "after": after, "limit": size, "paths": True}
            page = self._transport.post(f"/projects/{self.id}/images/search", body)
            found += map(values.image, page["items"])
            if page["next"] is None:
                break
            after = page["next"]
        return found

    def count(self, images: Images = None) -> int:
        """Count the images that are meant."""
        body = {"query": values.query_text(self._query(images))}
        return len(self._transport.post(f"/projects/{self.id}/images/ids", body)["ids"])

    def select(self, images: Images) -> Selection:
        """Turn what somebody calls ``images`` into a query, with the names that fit none or several."""
        return self._select(images)

    def mark(
        self,
        images: Images = None,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        split: str | None = None,
    ) -> int:
        """Set tags and split on images; return on how many. The tag ``empty`` says that an image shows no object."""
        body = {
            "query": values.query_text(self._query(images)),
            "add_tags": list(add_tags),
            "remove_tags": list(remove_tags),
            "split": split,
        }
        return int(self._transport.patch(f"/projects/{self.id}/images", body)["count"])

    def classes(self) -> list[LabelClass]:
        """The classes of the project, in the order in which they came."""
        return [values.label_class(item) for item in self._transport.get(f"/projects/{self.id}/classes")["items"]]

    def fields(self) -> list[FieldSummary]:
        """The fields of the project, with counts of their labels by state and kind."""
        return [values.field_summary(item, self.id) for item in self._fields()]

    def delete_field(self, name: str) -> None:
        """Delete a field with its labels, for good. A run goes with its field. Raises NotFound, WrongState."""
        self._transport.delete(f"/fields/{self._field(name)['id']}")

    def labels(self, field: str = TRUTH, images: Images = None) -> dict[str, list[Label]]:
        """Return the labels of a field by the names of their images; meant for small selections."""
        found: dict[str, list[Label]] = {}
        query, after = values.query_text(self._query(images)), ""
        while True:
            body = {"query": query, "after": after, "limit": _PAGE, "labels": [field]}
            page = self._transport.post(f"/projects/{self.id}/images/search", body)
            for item in page["items"]:
                if item["labels"]:
                    found.setdefault(item["name"], []).extend(map(values.label, item["labels"]))
            if page["next"] is None:
                return found
            after = page["next"]

    def segment(
        self,
        image: str | int,
        *,
        model: str,
        points: Sequence[Point] = (),
        box: Box | None = None,
        outline: bool = False,
    ) -> Segmented:
        """Cut out an object of an image by pointing at it: by points, a box, or both. Nothing is stored."""
        image_id = image if isinstance(image, int) else self._image_id(image)
        clicked = [{"x": x, "y": y, "include": sign} for x, y, sign in signed(points)]
        body = {"model": model, "points": clicked, "box": geometry(box), "outline": outline}
        return values.segmented(self._transport.post(f"/images/{image_id}/segment", body), image_id, self._user)

    def add_labels(self, labels: Mapping[str, Iterable[Label]], *, field: str = TRUTH, note: str = "") -> Change:
        """Add labels that a person drew, by the names of their images. Raises NotFound for a name.

        At most 5,000 at once.
        """
        operations: list[dict[str, Any]] = []
        for name, theirs in labels.items():
            image_id = self._image_id(name)
            for label in theirs:
                made = {"op": "create", "client_id": str(len(operations)), "image_id": image_id, "field": field}
                operations.append(made | {"label": values.new_label(label)})
        if not operations:
            raise InvalidInput("There are no labels to add")
        body = {"key": uuid.uuid4().hex, "note": note, "operations": operations}
        done = self._transport.post(f"/projects/{self.id}/labels/batch", body)
        self._raise_first(done["results"])
        return values.change(self._transport.get(f"/projects/{self.id}/changes/{done['change_ids'][0]}"))

    def history(self, *, limit: int = 100) -> list[Change]:
        """What was done to the labels, the latest first."""
        found: list[Change] = []
        for item in self._transport.pages(f"/projects/{self.id}/changes", limit=min(max(limit, 1), _PAGE)):
            if len(found) >= limit:
                break
            found.append(values.change(item))
        return found

    def undo(self, change: int | Change) -> Change:
        """Undo one change. Raises Conflict where something later touched the same labels."""
        number = change.id if isinstance(change, Change) else change
        return values.change(self._transport.post(f"/projects/{self.id}/changes/{number}/undo"))

    def _import(
        self, what: str, path: str | Path, images: str | Path | None, body: dict[str, Any], tell: OnProgress | None
    ) -> dict[str, Any]:
        root = values.full(path)
        if not root.exists():
            raise InvalidInput(f"There is no file or folder {path}", remedy="Check the path.")
        body = body | {"what": what}
        if self._paths:
            body = body | {"path": str(root), "images": None if images is None else str(values.full(images))}
            result: dict[str, Any] = self._transport.work(f"/projects/{self.id}/import", body, tell)["result"]
            return result
        if images is not None:
            self.import_images(images, on_progress=tell)
        upload = self._transport.upload_folder(self.id, root)
        uploaded: dict[str, Any] = self._transport.work(f"/uploads/{upload}/import", body, tell)["result"]
        return uploaded

    def _fetch(self, address: str, target: Path, *, folder: bool) -> None:
        """Download what an export made; an archive is unpacked."""
        with tempfile.TemporaryDirectory(prefix="countersign-") as scratch:
            file = self._transport.download(address, Path(scratch) / "export")
            if folder:
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(target)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, target)

    def _image_id(self, name: str) -> int:
        try:
            found = self._transport.post(f"/projects/{self.id}/images/select", {"names": [name]})
        except InvalidInput:
            raise NotFound("image", name) from None
        if len(found["ids"]) > 1:
            raise InvalidInput(f"Several images are named {name!r}", remedy="Give more of the path.")
        return int(found["ids"][0])
