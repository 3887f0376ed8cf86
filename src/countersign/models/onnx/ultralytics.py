"""The metadata that Ultralytics writes into its exports (names, task, imgsz, stride), as a description.

Text is parsed, nothing of Ultralytics is imported or run.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError
from countersign.models.onnx.description import Description, from_data
from countersign.models.onnx.session import Signature

_NMS = 0.7  # the default of Ultralytics' own predict
_SKELETON_17 = 17


def made(signature: Signature) -> bool:
    """Whether the metadata is of this kind."""
    return "names" in signature.metadata and "stride" in signature.metadata


def describe(signature: Signature, path: Path) -> Description:
    """Make the description. Raises ModelError for a task that is not known here."""
    meta = signature.metadata
    origin = f"{path} (metadata of Ultralytics)"
    names = _literal(meta.get("names", "{}"))
    if isinstance(names, dict):
        names = [str(names[key]) for key in sorted(names)]
    if not isinstance(names, list) or not names:
        raise ModelError(f"{origin} has no readable names of classes", remedy="Write a description beside the model.")
    task = meta.get("task", "detect")
    data: dict[str, Any] = {
        "description": meta.get("description", ""),
        "author": meta.get("author", ""),
        "source": meta.get("docs", ""),
        "licence": "AGPL-3.0" if "AGPL-3.0" in meta.get("license", "") else meta.get("license", ""),
        "version": meta.get("version", "1"),
        "classes": [str(name) for name in names],
        "min_confidence": 0.25,
        "input": _input(task, meta),
        "output": _output(task, meta, signature, len(names), origin),
    }
    if data["output"]["decoder"] not in ("yolo_nms", "classes"):
        data["nms"] = _NMS
    if data["output"].get("keypoints") == _SKELETON_17:
        from countersign.models import vocabularies

        data["keypoints"] = list(vocabularies.coco_keypoints())
        data["skeleton"] = vocabularies.COCO_SKELETON
    return from_data(data, origin)


def _input(task: str, meta: Any) -> dict[str, Any]:
    size = _literal(meta.get("imgsz", "None"))
    values: dict[str, Any] = {"divide": 255, "resize": "centre_crop" if task == "classify" else "letterbox_centred"}
    if isinstance(size, int):
        size = [size, size]
    if isinstance(size, list) and len(size) == 2:
        values["size"] = size
    return values


def _output(task: str, meta: Any, signature: Signature, classes: int, origin: str) -> dict[str, Any]:
    if task == "classify":
        return {"decoder": "classes", "scores": "probabilities"}
    if task not in ("detect", "segment", "pose"):
        raise ModelError(f"{origin}: the task {task!r} has no decoder", remedy="It may be detect, segment or pose.")
    if task == "segment" and len(signature.outputs) < 2:
        raise ModelError(f"{origin}: a segmenter should have two outputs", remedy=f"It has {signature}.")
    keypoints = _literal(meta.get("kpt_shape", "None"))
    values: dict[str, Any] = {"masks": task == "segment"}
    tail = 0
    if task == "pose":
        if not isinstance(keypoints, list) or len(keypoints) != 2:
            raise ModelError(f"{origin} has no readable kpt_shape", remedy="Write a description beside the model.")
        values |= {"keypoints": keypoints[0], "keypoint_values": keypoints[1]}
        tail = int(keypoints[0]) * int(keypoints[1])
    elif task == "segment":
        count = signature.outputs[1].shape[1] if len(signature.outputs[1].shape) == 4 else None
        tail = count if isinstance(count, int) else 32
    return values | {"decoder": _decoder(meta, signature, classes, tail)}


def _decoder(meta: Any, signature: Signature, classes: int, tail: int) -> str:
    """Tell the layouts apart by the length of the axis that is no count of boxes."""
    shape = signature.outputs[0].shape
    arguments = _literal(meta.get("args", "{}"))
    finished = meta.get("end2end") == "True" or (isinstance(arguments, dict) and arguments.get("nms") is True)
    if finished or (len(shape) == 3 and shape[2] == 6 + tail and shape[1] != 4 + classes + tail):
        return "yolo_nms"
    if len(shape) == 3 and shape[2] == 5 + classes + tail and shape[1] != 4 + classes + tail:
        return "yolov5"
    return "yolov8"


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
