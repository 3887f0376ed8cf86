"""Checkpoints of one's own whose answers are known: each family's own network, taught in closed form what to say.

The layers below the last are random and stay so; the last is fitted to their answers by least squares. That takes no
training, and is sure on pictures that differ in colour as much as these. Libraries save them as they save any other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = {"unripe": (60, 170, 70), "ripe": (200, 40, 40), "rotten": (50, 45, 55)}
NAMES = tuple(COLOURS)
GROUND = (225, 225, 210)


def picture(index: int) -> NDArray[np.uint8]:
    """A picture full of one colour with noise; sizes differ. Its class is that of ``class_of``."""
    rng = np.random.default_rng(index)
    size = ((48, 64), (64, 48), (60, 60))[index % 4 % 3]
    noise = rng.integers(-25, 26, (*size, 3))
    return (np.array(COLOURS[class_of(index)]) + noise).clip(0, 255).astype(np.uint8)


def class_of(index: int) -> str:
    """What a picture shows."""
    return NAMES[index % len(NAMES)]


def fruit(index: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A picture of 64 x 64 with one fruit on a pale ground, and where it is."""
    rng = np.random.default_rng(index)
    mask = np.zeros((64, 64), bool)
    top, left = 8 * (index % 4), 8 * (index % 3)
    mask[top : top + 32, left : left + 40] = True
    base = np.where(mask[..., None], COLOURS[class_of(index)], GROUND)
    return (base + rng.integers(-20, 21, (64, 64, 3))).clip(0, 255).astype(np.uint8), mask


def write(folder: Path, count: int) -> Path:
    """Write pictures into a folder for each class: ``ripe/1.png`` ..."""
    for index in range(count):
        (folder / class_of(index)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(index)).save(folder / class_of(index) / f"{index}.png")
    return folder


def teach_yolo(file: Path) -> None:
    """A classifier of Ultralytics with the three classes. Imports the library: for a process of its own."""
    import torch
    from ultralytics import YOLO
    from ultralytics.utils import ROOT, YAML

    data = YAML.load(ROOT / "cfg/models/v8/yolov8-cls.yaml") | {"scales": {"n": [0.33, 0.125, 256]}, "nc": len(NAMES)}
    YAML.save(config := file.with_name("yolov8n-cls.yaml"), data | {"scale": "n"})
    torch.manual_seed(0)
    model = YOLO(str(config))
    network = model.model.eval()
    head, network.model[-1].linear = network.model[-1].linear, torch.nn.Identity()
    for layer in network.modules():  # or signals would fade from layer to layer
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
    with torch.no_grad():
        network.train()(torch.rand(32, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    network.eval()
    seen: list[Any] = []

    def features(pictures: list[NDArray[np.uint8]]) -> Any:
        hook = network.model[-1].linear.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        model.predict([pixels[..., ::-1].copy() for pixels in pictures], imgsz=64, device="cpu", verbose=False)
        hook.remove()
        return torch.cat(seen)[-len(pictures) :]

    _taught(head, features)
    network.model[-1].linear = head
    network.names = dict(enumerate(NAMES))
    model.ckpt = {"train_args": {"imgsz": 64, "task": "classify"}}
    model.save(str(file))
    config.unlink()


def ultralytics_file(file: Path) -> Path:
    """A ``.pt`` file as Ultralytics saves it, made where no network can be reached."""
    environment = os.environ | {
        "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(file.parent / ".settings"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)]),
    }  # fmt: skip
    program = f"import known_models, pathlib; known_models.teach_yolo(pathlib.Path({str(file.absolute())!r}))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return file


def _fit(features: NDArray[np.float64], wanted: NDArray[np.int64], count: int) -> tuple[Any, Any]:
    """Return weights (count, D) and bias (count,) with which a linear layer answers: ridge regression, sharpened."""
    import torch

    middle, spread = features.mean(0), features.std(0) + 1e-9
    extended = np.concatenate([(features - middle) / spread, np.ones((len(features), 1))], axis=1)
    target = np.eye(count)[wanted] * 2 - 1
    gram = extended.T @ extended + 1e-3 * np.trace(extended.T @ extended) / len(extended.T) * np.eye(extended.shape[1])
    solved = np.linalg.solve(gram, extended.T @ target) * 10
    weight = solved[:-1].T / spread
    return torch.from_numpy(weight.astype(np.float32)), torch.from_numpy(
        (solved[-1] - weight @ middle).astype(np.float32)
    )


def _taught(head: Any, features_of: Callable[[list[NDArray[np.uint8]]], Any]) -> None:
    """Fit a linear layer to what the layers below make of pictures that no test shows."""
    import torch

    indices = range(1000, 1060)
    with torch.no_grad():
        features = features_of([picture(i) for i in indices]).double().numpy()
        weight, bias = _fit(features, np.array([i % len(NAMES) for i in indices]), len(NAMES))
        head.weight.copy_(weight)
        head.bias.copy_(bias)


def transformers_folder(folder: Path) -> Path:
    """A ViT of transformers with a head for the three classes, as ``save_pretrained`` writes it."""
    import torch
    import transformers as T

    torch.manual_seed(0)
    config = T.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8,
        id2label=dict(enumerate(NAMES)), label2id={name: i for i, name in enumerate(NAMES)},
    )  # fmt: skip
    network = T.ViTForImageClassification(config).eval()
    processor = T.ViTImageProcessor(size={"height": 32, "width": 32})

    def features(pictures: list[NDArray[np.uint8]]) -> Any:
        return network.vit(**processor(images=pictures, return_tensors="pt")).last_hidden_state[:, 0]

    _taught(network.classifier, features)
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def segmenter_folder(folder: Path) -> Path:
    """A SegFormer of transformers that tells the fruits from the ground."""
    import torch
    import transformers as T

    torch.manual_seed(0)
    names = ("ground", *NAMES)
    config = T.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[16, 16, 24, 32], num_attention_heads=[1, 2, 2, 4], decoder_hidden_size=64,
        id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)},
    )  # fmt: skip
    network = T.SegformerForSemanticSegmentation(config).eval()
    processor = T.SegformerImageProcessor(size={"height": 64, "width": 64}, do_reduce_labels=False)
    seen: list[Any] = []
    hook = network.decode_head.classifier.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    shown = [fruit(i) for i in range(1000, 1024)]
    with torch.no_grad():
        network(**processor(images=[pixels for pixels, _ in shown], return_tensors="pt"))
        hook.remove()
        features = seen[0].permute(0, 2, 3, 1).reshape(-1, 64).double().numpy()  # a place for each 4 x 4 pixels
        truth = np.stack([np.where(mask, 1 + i % len(NAMES), 0)[::4, ::4] for i, (_, mask) in enumerate(shown, 1000)])
        weight, bias = _fit(features, truth.reshape(-1), len(names))
        network.decode_head.classifier.weight.copy_(weight[..., None, None])
        network.decode_head.classifier.bias.copy_(bias)
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def timm_network() -> Any:
    """A ResNet of timm with a head for the three classes."""
    import timm
    import torch

    torch.manual_seed(0)
    network: Any = timm.create_model("test_resnet", pretrained=False, num_classes=len(NAMES)).eval()
    shape = timm.data.create_transform(**timm.data.resolve_model_data_config(network))

    def features(pictures: list[NDArray[np.uint8]]) -> Any:
        stacked = torch.stack([shape(Image.fromarray(pixels)) for pixels in pictures])
        return network.forward_head(network.forward_features(stacked), pre_logits=True)

    _taught(network.get_classifier(), features)
    return network


def timm_folder(folder: Path) -> Path:
    """The same as timm itself writes it for the hub."""
    from timm.models import save_for_hf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_for_hf(timm_network(), folder, model_config={"label_names": list(NAMES)}, safe_serialization=True)
    return folder


def timm_file(file: Path) -> Path:
    """Its numbers alone."""
    from safetensors.torch import save_file

    save_file(timm_network().state_dict(), file)
    return file


def torchvision_file(file: Path) -> Path:
    """A state dict of torchvision's ResNet-18, saved as scripts do."""
    import torch
    import torchvision

    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=len(NAMES)).eval()
    shape = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    head, network.fc = network.fc, torch.nn.Identity()

    def features(pictures: list[NDArray[np.uint8]]) -> Any:
        return network(torch.stack([shape(Image.fromarray(pixels)) for pixels in pictures]))

    _taught(head, features)
    network.fc = head
    torch.save({"state_dict": network.state_dict(), "epoch": 3}, file)
    return file
