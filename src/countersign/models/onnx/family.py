"""The family of ONNX models: any ``*.onnx`` file, or a folder that holds one, with a description of how it is used.

Option ``description`` names the description's file where it is not beside the model, ``classes`` a list of names that
replaces the described one. Nothing of onnxruntime is imported before a model is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard, Task
from countersign.models.folder import weights
from countersign.models.registry import Reference

if TYPE_CHECKING:
    from countersign.models.onnx.model import OnnxEmbedder, OnnxModel

ENDING = ".onnx"


@dataclass(frozen=True, slots=True)
class OnnxFamily:
    """ONNX files."""

    name: str = "onnx"
    option_names: tuple[str, ...] = ("description", "classes")
    setting_names: tuple[str, ...] = ("nms", "nms_across_classes", "max_detections", "top")

    def names(self) -> Sequence[str]:
        return ()

    def opens(self, path: Path) -> bool:
        """Whether it is an ONNX file, or a folder with one and nothing that names another family."""
        if path.is_file():
            return path.suffix.lower() == ENDING
        return path.is_dir() and not (path / "config.json").exists() and len(_files(path)) == 1

    def files(self, path: Path) -> Sequence[Path]:
        """Return what lies beside a file and belongs to it. Raises ModelError."""
        from countersign.models.onnx import parts

        return parts.files(path)

    def card(self, reference: Reference) -> ModelCard:
        from countersign.models.onnx import building, reading, session

        path = _path(reference)
        signature = session.read_signature(path)
        found = reading.read(path, signature, _given(reference, "description"))
        meaning = building.labels(found, signature, _given(reference, "classes"))
        fitted = building.fit(found, signature)
        hashed = session.weights_hash(path)
        return building.card(path, found, meaning, fitted, name=reference.name, weights_hash=hashed)

    def load(self, reference: Reference, *, device: str | None) -> OnnxModel | OnnxEmbedder:
        from countersign.models.onnx import building, reading
        from countersign.models.onnx.model import OnnxEmbedder, OnnxModel, Runner
        from countersign.models.onnx.pose import OnnxPose
        from countersign.models.onnx.session import Session, weights_hash

        path = _path(reference)
        session = Session(path, device)
        found = reading.read(path, session.signature, _given(reference, "description"))
        meaning = building.labels(found, session.signature, _given(reference, "classes"))
        fitted = building.fit(found, session.signature)
        output = found.description.output
        card = building.card(path, found, meaning, fitted, name=reference.name, weights_hash=weights_hash(path))
        runner = Runner(session, fitted, output)
        if Task.EMBEDDING in card.tasks:
            return OnnxEmbedder(card, runner, output)
        if output.one_object:
            return OnnxPose(card, runner, output, meaning)
        return OnnxModel(card, runner, output, meaning)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ENDING and file.is_file())


def _path(reference: Reference) -> Path:
    path = reference.path
    if path is None and reference.card is not None:
        path = weights.locate(reference.card)
    if path is None:
        path = Path(reference.name).expanduser()
    if path.is_dir():
        files = _files(path)
        if len(files) != 1:
            raise ModelError(f"{path} holds {len(files)} ONNX files", remedy="Name the one that is meant.")
        path = files[0]
    if not path.is_file():
        raise ModelError(f"there is no file {path}", remedy="Check the path.")
    return path


def _given(reference: Reference, option: str) -> Path | None:
    given = reference.options.get(option)
    return Path(given).expanduser() if given else None


FAMILY = OnnxFamily()
