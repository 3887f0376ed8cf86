"""YOLO networks in narrow, built from the library's own configurations and saved by it: in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from countersign.domain.model import ModelCard
from countersign.models import vocabularies
from tiny_checkpoints import _tokenizers

_SCRIPT = """
import sys
from pathlib import Path
import torch
from ultralytics import YOLO
from ultralytics.utils import ROOT, YAML

config, names, target = sys.argv[1], Path(sys.argv[2]).read_text().splitlines(), Path(sys.argv[3])
data = YAML.load(ROOT / "cfg/models" / f"{config}.yaml")
if "scales" in data:
    data["scales"] = {"n": [0.33, 0.0625, 128]}
else:
    def narrower(value):
        if isinstance(value, list):
            return [narrower(item) for item in value]
        return value // 8 if isinstance(value, int) and value >= 64 else value
    data["backbone"] = [[*row[:3], narrower(row[3])] for row in data["backbone"]]
    data["head"] = [[*row[:3], narrower(row[3])] for row in data["head"]]
data |= {"scale": "n", "nc": len(names)}
file = target.parent / f"{config.rpartition('/')[2].replace('v8-world', 'v8n-world')}.yaml"
YAML.save(file, data)
torch.manual_seed(0)
model = YOLO(str(file))
network = model.model
with torch.no_grad():
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.mul_(1.5)
    head = network.model[-1]
    # So that something is found: the library starts with scores near nothing.
    for branch in [*getattr(head, "cv3", []), *(getattr(head, "one2one_cv3", None) or [])]:
        last = branch[-1]
        if getattr(last, "bias", None) is not None:
            last.bias.fill_(-1.0)
if not type(model).__name__ == "YOLOE":
    network.names = dict(enumerate(names))
model.ckpt = {"train_args": {"imgsz": 64, "task": model.task}}  # or each picture would be 640 pixels wide
network.eval()
model.save(str(target))
file.unlink()
"""
_CONFIGS = {
    "yolo11-seg": "11/yolo11-seg", "yolo11-pose": "11/yolo11-pose", "yolo11": "11/yolo11", "yolov10": "v10/yolov10n",
    "yolov9c-seg": "v9/yolov9c-seg", "yolov9e-seg": "v9/yolov9e-seg", "yolov9c": "v9/yolov9c",
    "yolov9e": "v9/yolov9e", "yolov8-oiv7": "v8/yolov8", "yolov8-seg": "v8/yolov8-seg",
    "yolov8-pose": "v8/yolov8-pose", "yolov8-worldv2": "v8/yolov8-worldv2", "yolov8": "v8/yolov8",
    "yoloe-11-seg": "11/yoloe-11-seg", "yoloe-v8-seg": "v8/yoloe-v8-seg",
}  # fmt: skip

SLOW = frozenset(_CONFIGS) - {"yolo11-seg", "yolov8-worldv2"}
"""Each starts the library twice."""


def key(card: ModelCard) -> str:
    """The series; the sizes of one differ in width alone. YOLOv9 has a configuration for each size."""
    name = card.name
    if name.startswith("yolov9"):
        return name
    for series in ("yolo11", "yolov10", "yolov8", "yoloe-11", "yoloe-v8"):
        if name.startswith(series):
            return series + name.removeprefix(series)[1:]
    raise AssertionError(name)


def build(card: ModelCard, folder: Path) -> None:
    names = folder / "names.txt"
    names.write_text("\n".join(card.classes or vocabularies.coco()))
    save(_CONFIGS[key(card)], names, folder / "weights.pt")
    names.unlink()
    if card.details.get("text_encoder", "").endswith(".ts"):
        _text_encoder(folder / card.details["text_encoder"])
        tokenizer = _tokenizers.clip()
        (folder / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
        (folder / "merges.txt").write_text("#version: 0.2\n")


def save(config: str, names: Path, target: Path) -> None:
    """Let the library build a narrow network and save it."""
    environment = os.environ | {
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_CONFIG_DIR": str(target.parent / ".settings"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-P", "-c", _SCRIPT, config, str(names), str(target)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for file in sorted((target.parent / ".settings").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    (target.parent / ".settings").rmdir()


def files(card: ModelCard) -> dict[str, str]:
    return {"weights.pt": card.files[0].name}


def narrow(patch: pytest.MonkeyPatch) -> None:
    """YOLO-World's words become features without CLIP, whose checkpoint is another's."""
    from countersign.models.ultralytics import texts

    patch.setattr(texts, "clip_encoder", lambda model: _features)


def _features(words: Sequence[str]) -> NDArray[np.float32]:
    rows = np.stack([np.random.default_rng(sum(word.encode())).normal(size=512) for word in words])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _text_encoder(file: Path) -> None:
    """A TorchScript module with the signature of MobileCLIP's text encoder: tokens (N, 77) to rows of length 1."""
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = torch.nn.Embedding(514, 512)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            rows = self.words(tokens).sum(1)
            return rows / rows.norm(dim=-1, keepdim=True)

    torch.manual_seed(0)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates TorchScript, in which MobileCLIP is published
        script = torch.jit.trace(Encoder().eval(), torch.zeros(2, 77, dtype=torch.long))
        torch.jit.save(script, str(file))
