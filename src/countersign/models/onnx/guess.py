"""What the shapes alone say for certain, and else what must be declared, with an example to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError
from countersign.models.onnx.decoders import names
from countersign.models.onnx.description import Description, from_data
from countersign.models.onnx.session import Signature


def describe(signature: Signature) -> Description | None:
    """Return a description where only one is possible, else None.

    These are MoveNet (whole numbers in, 17 rows of y, x, score out) and YuNet (outputs loc, conf and iou).
    """
    data = _movenet(signature) or _yunet(signature)
    return from_data(data, "a guess from the shapes") if data else None


def _movenet(signature: Signature) -> dict[str, Any] | None:
    from countersign.models import vocabularies

    if len(signature.outputs) != 1 or signature.outputs[0].shape != (1, 1, 17, 3) or not _whole_numbers(signature):
        return None
    return {
        "description": "A MoveNet: the pose of one person.",
        "input": {"resize": "letterbox_centred", "fill": 0},
        "output": {"decoder": "movenet"},
        "classes": ["person"],
        "keypoints": list(vocabularies.coco_keypoints()),
        "skeleton": vocabularies.COCO_SKELETON,
    }


def _yunet(signature: Signature) -> dict[str, Any] | None:
    shapes = {tensor.name: tensor.shape[-1:] for tensor in signature.outputs}
    if shapes != {"loc": (14,), "conf": (2,), "iou": (1,)}:
        return None
    return {
        "description": "A YuNet: faces with five landmarks.",
        "input": {"colour": "BGR", "divide": 1, "resize": "letterbox"},
        "output": {"decoder": "yunet", "outputs": ["loc", "conf", "iou"]},
        "classes": ["face"],
        "keypoints": ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"],
        "nms": 0.3,
        "min_confidence": 0.6,
    }


def _whole_numbers(signature: Signature) -> bool:
    image = signature.inputs[0]
    return len(signature.inputs) == 1 and image.dtype in ("uint8", "int32") and image.shape[-1:] == (3,)


def undescribed(path: Path, signature: Signature, file: Path) -> ModelError:
    """Return the error for a model that nothing describes: what it has, what to declare, an example that fits it."""
    size = _size(signature.inputs[0].shape) if signature.inputs else None
    whole = bool(signature.inputs) and signature.inputs[0].dtype in ("uint8", "int32")
    lines = [
        "input:",
        *([] if size else ["  size: [640, 640]      # height, width, or dynamic"]),
        *([] if whole else ["  divide: 255           # 0..1; 1 keeps 0..255; see also mean, std"]),
        "  colour: RGB           # or BGR",
        "  resize: stretch       # or letterbox, letterbox_centred, centre_crop",
        "output:",
        "  decoder: yolov8       # or another, with what it needs",
        "classes: [cat, dog]     # in the model's order, or a text file",
    ]
    example = "\n".join(lines)
    return ModelError(
        f"{path} does not say how it is used ({signature})",
        remedy=(
            f"Describe it in {file}: how pixels become its input, output.decoder (one of {', '.join(names())}) and "
            f"its classes, for instance\n{example}\nThe guide 'Own models' explains every key"
        ),
    )


def _size(shape: tuple[Any, ...]) -> tuple[int, int] | None:
    sides = [size for size in shape[1:] if isinstance(size, int) and size > 4]
    return (sides[0], sides[1]) if len(sides) == 2 else None
