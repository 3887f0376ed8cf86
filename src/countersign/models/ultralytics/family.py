"""References to models of Ultralytics: cards of the catalogue, and ``.pt`` files that its library has saved.

Options: ``embeddings`` is a file in which the library saved the prompts of a YOLOE model (``save_prompt_embeddings``).
Its licence, AGPL-3.0, must be accepted before anything of it is used.
"""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError, NotFound
from countersign.domain.model import ModelCard, Task
from countersign.models.folder import licences, pickles, records, weights
from countersign.models.registry import Reference
from countersign.models.ultralytics.cards import CARDS, LICENCE
from countersign.models.ultralytics.model import Yolo, with_embeddings
from countersign.models.ultralytics.process import Process, require_extra
from countersign.models.vocabularies import COCO_SKELETON, coco_keypoints, unique

_TASKS = {
    "detect": (Task.DETECTION,),
    "segment": (Task.INSTANCE_SEGMENTATION, Task.DETECTION),
    "pose": (Task.POSE, Task.DETECTION),
    "classify": (Task.CLASSIFICATION,),
}
_PEEK = 1 << 20  # bytes of a pickle in which the library's name is looked for
CODE = ModelCard(
    "ultralytics",
    "ultralytics",
    (Task.DETECTION,),
    (),
    description="The Ultralytics library, which runs YOLO models.",
    author="Ultralytics",
    source="https://www.ultralytics.com/license",
    code_licence=LICENCE,
)
"""What must be accepted before a file of one's own is opened: the licence of the code."""


class UltralyticsFamily:
    """YOLO11, YOLOv10, YOLOv9, YOLOv8, YOLO-World and YOLOE."""

    name = "ultralytics"
    option_names = ("embeddings",)
    setting_names = (
        "nms",
        "nms_across_classes",
        "max_detections",
        "image_size",
        "keypoint_score",
        "template",
        "top",
    )
    code = CODE

    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    def names(self) -> Sequence[str]:
        return [card.name for card in CARDS]

    def opens(self, path: Path) -> bool:
        file = _file_in(path)
        return file is not None and _says_ultralytics(file)

    def card(self, reference: Reference) -> ModelCard:
        reference = _catalogued(reference)
        if reference.card is not None and not reference.options:
            return reference.card
        model = self.load(reference, device="cpu")
        model.process.close()
        return model.card

    def load(self, reference: Reference, *, device: str | None) -> Yolo:
        reference = _catalogued(reference)
        require_extra()
        _require_licence(reference.card)
        file = _file(reference)
        _check(file, reference.card)
        process = Process(file, device)
        try:
            card = dataclasses.replace(_card(reference, file, process.card), weights_hash=records.sha256(file))
            embeddings = reference.options.get("embeddings", "")
            if embeddings:
                embeddings = str(Path(embeddings).expanduser().absolute())
                card = with_embeddings(process, card, embeddings)
            return Yolo(process, card, file.parent, embeddings)
        except BaseException:
            process.close()
            raise


def _catalogued(reference: Reference) -> Reference:
    """``ultralytics:yolo11n`` is the model of the catalogue of this name, ``ultralytics:FILE`` a file."""
    if reference.card is not None or reference.path is not None:
        return reference
    card = next((card for card in CARDS if card.name == reference.name.removesuffix(".pt")), None)
    if card is not None:
        return dataclasses.replace(reference, card=card)
    path = Path(reference.name).expanduser()
    if path.exists():
        return dataclasses.replace(reference, path=path.absolute())
    raise NotFound("model of Ultralytics", reference.name, remedy="All there are: countersign models list")


def _require_licence(card: ModelCard | None) -> None:
    """Raise ModelError where nobody has accepted the licence. For a file of one's own it is that of the code."""
    if card is not None and any(card.name == known.name for known in CARDS):
        licences.require(card)
    elif not any(licences.accepted(known) for known in CARDS):
        licences.require(CODE)


def _file_in(path: Path) -> Path | None:
    """Return a ``.pt`` file: this one, or the only one of a folder."""
    if path.is_dir():
        found = sorted(path.glob("*.pt"))
        return found[0] if len(found) == 1 and not (path / "config.json").exists() else None
    return path if path.suffix == ".pt" and path.is_file() else None


def _says_ultralytics(file: Path) -> bool:
    """Whether an archive of torch names the library's classes. Nothing of it is opened."""
    try:
        with zipfile.ZipFile(file) as archive:
            name = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
            if name is None:
                return False
            with archive.open(name) as pickled:
                return b"ultralytics" in pickled.read(_PEEK)
    except (OSError, zipfile.BadZipFile):
        return False


def _file(reference: Reference) -> Path:
    if reference.path is not None:
        file = _file_in(reference.path)
        if file is None:
            raise ModelError(f"{reference.path} is no .pt file of Ultralytics", remedy="Give the path of one.")
        return file.absolute()
    assert reference.card is not None
    return (weights.locate(reference.card) / reference.card.files[0].name).absolute()


def _check(file: Path, card: ModelCard | None) -> None:
    """Raise ModelError for a file that is cut short, or a pickle that nobody allowed."""
    if not zipfile.is_zipfile(file):
        raise ModelError(f"{file} is damaged: it is no whole archive of torch", remedy="Fetch it again, or replace it.")
    pickles.require(file, card)


def _card(reference: Reference, file: Path, told: dict[str, Any]) -> ModelCard:
    if told["task"] not in _TASKS or not told["kind"]:
        raise ModelError(
            f"{file} is a model for {told['task']!r}, which has no labels here",
            remedy=f"There are: {', '.join(_TASKS)}.",
        )
    zero_shot = told["kind"] != "yolo" and not told["fixed"]
    names = () if zero_shot else unique(told["names"])
    if reference.card is not None:
        given = reference.card
        return dataclasses.replace(given, classes=given.classes if _fit(given.classes, names) else names)
    details: dict[str, Any] = {}
    if told["keypoints"][:1] == [17]:
        details = {"keypoint_names": list(coco_keypoints()), "skeleton": COCO_SKELETON}
    return ModelCard(
        file.stem.lower(),
        "ultralytics",
        _TASKS[told["task"]],
        names,
        zero_shot=zero_shot,
        description="a model of your own",
        code_licence=LICENCE,
        extra="ultralytics",
        min_confidence=0.25,
        details=details,
    )


def _fit(given: Sequence[str], names: Sequence[str]) -> bool:
    """Whether names that a user or the catalogue gives can stand for those in the file: as many, one for each."""
    return len(given) == len(names)


FAMILY = UltralyticsFamily()
