"""The process that runs Ultralytics: ``python -m countersign.models.ultralytics.worker``. One model, one at a time.

It is the only place where the library is imported. Before that its environment is set: offline, no installing, safe
loading, a settings folder of its own that goes with the process; every attempt to reach a network is refused and
counted by an audit hook, which nothing can take away. Standard input has the requests, standard output the answers;
whatever else libraries print goes to standard error. It ends when nobody sends requests any more.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from countersign.models.ultralytics import pipes

_PIXELS_AT_ONCE = 16_000_000  # of images with masks: those of one object are as large as its image
_NMS, _MOST = 0.7, 300  # the library's own defaults
_refused: list[str] = []


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        where = arguments[0] if event == "socket.getaddrinfo" else arguments[-1]
        if not isinstance(where, str | bytes) or event == "socket.getaddrinfo":  # a path is a socket of this machine
            _refused.append(f"{event} {where}")
            raise PermissionError(f"the network is closed to this process ({where})")


def prepare(folder: str) -> None:
    """Set up the environment that the library reads when it is imported; ``folder`` is for its settings."""
    os.environ.update(
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
        YOLO_CONFIG_DIR=folder,
        YOLO_VERBOSE="false",
        ULTRALYTICS_SAFE_LOAD="1",
        HF_HUB_OFFLINE="1",
    )
    sys.addaudithook(_guard)


class Loaded:
    """A checkpoint in memory. What it can be asked is in ``answer``."""

    def __init__(self, path: str, device: str | None) -> None:
        import torch
        from ultralytics import YOLO
        from ultralytics.utils import SETTINGS

        SETTINGS.update({"sync": False})
        if not (os.path.isabs(path) and os.path.isfile(path)):  # noqa: PTH117, PTH113 - a name would be downloaded
            raise FileNotFoundError(path)
        self._model: Any = YOLO(path)
        self._kind = {"YOLO": "yolo", "YOLOWorld": "world", "YOLOE": "yoloe"}.get(type(self._model).__name__, "")
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if self._kind in ("world", "yoloe"):
            self._model.model.to(self._device)

    def card(self) -> dict[str, Any]:
        """Say what it is."""
        network = self._model.model
        names = network.names
        shape = getattr(network, "kpt_shape", None)
        head = network.model[-1]
        return {
            "task": str(self._model.task),
            "kind": self._kind,
            "names": [str(names[key]) for key in sorted(names)] if isinstance(names, dict) else list(map(str, names)),
            "keypoints": list(shape) if shape is not None else [],
            "fixed": bool(hasattr(head, "lrpc") or getattr(head, "is_fused", False)),
            "device": self._device,
        }

    def classes(self, names: list[str], features: NDArray[np.float32]) -> dict[str, Any]:
        """Look for these from now on: ``features`` is (N, 512), one row of length 1 for each name."""
        import torch

        network = self._model.model
        rows = torch.from_numpy(features.copy())[None].to(self._device)
        if self._kind == "world":
            network.txt_feats = rows
            network.model[-1].nc = len(names)
            network.names = dict(enumerate(names))
        else:
            with torch.inference_mode():
                rows = network.model[-1].get_tpe(rows)
            # Given a number each: the library takes no name twice and drops what follows a slash.
            network.set_classes([str(i) for i in range(len(names))], rows)
        self._model.predictor = None
        return {}

    def texts(self, names: list[str], tokens: NDArray[np.int64], encoder: str) -> dict[str, Any]:
        """As ``classes``, with the rows made by a text encoder in TorchScript from tokens (N, 77)."""
        import torch

        script: Any = torch.jit.load(encoder, map_location=self._device)  # type: ignore[no-untyped-call]
        with torch.inference_mode():
            rows = script(torch.from_numpy(tokens.copy()).to(self._device)).float().cpu().numpy()
        return self.classes(names, rows)

    def embeddings(self, path: str) -> dict[str, Any]:
        """Take names and embeddings from a file that the library saved. Returns the names."""
        if self._kind != "yoloe":
            raise ValueError("only YOLOE takes a file of embeddings")
        self._model.load_prompt_embeddings(path)
        self._model.predictor = None
        return self.card()

    def predict(self, images: Sequence[NDArray[np.uint8]], asked: dict[str, Any]) -> pipes.Message:
        """Predict images of any sizes. Those of one size go together: others would be padded, and differ then."""
        import torch

        if torch.get_num_threads() != asked["threads"]:
            torch.set_num_threads(asked["threads"])
        arguments = {
            "conf": asked["min_confidence"],
            "iou": asked.get("nms", _NMS),
            "agnostic_nms": asked.get("nms_across_classes", False),
            "max_det": max(_MOST, asked.get("max_detections", 0)),
            "classes": asked.get("classes"),
            "device": self._device,
            "retina_masks": True,
            "verbose": False,
            "save": False,
        }
        if asked.get("image_size"):
            arguments["imgsz"] = asked["image_size"]
        found: dict[int, list[NDArray[Any]]] = {}
        for indices in _groups(images, self._model.task == "segment"):
            batch = [np.ascontiguousarray(images[i][..., ::-1]) for i in indices]  # it takes blue first
            for index, result in zip(indices, self._model.predict(batch, **arguments), strict=True):
                found[index] = _arrays(result)
        ordered = [found[i] for i in range(len(images))]
        return {"counts": [len(arrays) for arrays in ordered]}, [array for arrays in ordered for array in arrays]


def _groups(images: Sequence[NDArray[np.uint8]], masks: bool) -> Iterator[list[int]]:
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, image in enumerate(images):
        groups.setdefault(image.shape, []).append(index)
    for shape, members in groups.items():
        step = max(1, _PIXELS_AT_ONCE // (shape[0] * shape[1])) if masks else len(members)
        for start in range(0, len(members), step):
            yield members[start : start + step]


def _arrays(result: Any) -> list[NDArray[Any]]:
    """Return what was found in one image: [probabilities], or [boxes (N, 6)] and keypoints or cropped masks with it.

    A box is x0, y0, x1, y1, score, class. Each mask is two arrays: top, left, height, width of its
    painted part, and this part packed to bits.
    """
    if result.probs is not None:
        return [_numbers(result.probs.data)]
    arrays = [_numbers(result.boxes.data)]
    if result.keypoints is not None:
        arrays.append(_numbers(result.keypoints.data))
    elif result.masks is not None:
        for mask in result.masks.data:
            arrays += _cropped(mask.bool().cpu().numpy())
    return arrays


def _numbers(tensor: Any) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = tensor.float().cpu().numpy()
    return numbers


def _cropped(mask: NDArray[np.bool_]) -> list[NDArray[Any]]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return [np.zeros(4, np.int64), np.zeros(0, np.uint8)]
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return [np.array([rows[0], columns[0], *part.shape], np.int64), np.packbits(part)]


def answer(loaded: Loaded | None, header: dict[str, Any], arrays: list[NDArray[Any]]) -> tuple[Loaded, pipes.Message]:
    """Do what is asked of the model that is loaded. Raises whatever the library raises."""
    if header["do"] == "load":
        loaded = Loaded(header["path"], header["device"])
        return loaded, (loaded.card(), [])
    if loaded is None:
        raise RuntimeError("no model is loaded")
    if header["do"] == "classes":
        return loaded, (loaded.classes(header["names"], arrays[0]), [])
    if header["do"] == "texts":
        return loaded, (loaded.texts(header["names"], arrays[0], header["encoder"]), [])
    if header["do"] == "embeddings":
        return loaded, (loaded.embeddings(header["path"]), [])
    if header["do"] == "network":
        return loaded, ({"refused": _refused}, [])
    return loaded, loaded.predict(arrays, header)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more requests."""
    loaded: Loaded | None = None
    while (message := pipes.read(requests)) is not None:
        try:
            loaded, (header, arrays) = answer(loaded, *message)
        except Exception as error:  # the library's, and torch's: whoever asked makes words of it
            traceback.print_exc()
            header, arrays = {"error": " ".join(f"{type(error).__name__}: {error}".split())}, []
        pipes.write(answers, header, arrays)


def main() -> int:
    """Keep standard output for answers alone, and serve."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory(prefix="countersign-yolo-") as folder:
        prepare(folder)
        try:
            serve(sys.stdin.buffer, answers)
        except (BrokenPipeError, KeyboardInterrupt):
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
