"""torchvision's own classes in narrow: its builders only know full sizes, so tests put these in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from countersign.domain.model import ModelCard, Task


def key(card: ModelCard) -> str:
    return next(
        kind
        for kind in ("resnet", "vit", "faster", "mask", "keypoint", "deeplabv3", "fcn")
        if card.name.startswith(kind)
    )


def narrow(patch: pytest.MonkeyPatch) -> None:
    """Let torchvision build small networks under the names of large ones."""
    import torchvision

    patch.setattr(torchvision.models, "get_model", _small)


def build(card: ModelCard, folder: Path) -> None:
    import torch

    torch.manual_seed(0)
    count = {Task.CLASSIFICATION: 1000, Task.POSE: 2, Task.SEMANTIC_SEGMENTATION: 21}.get(card.tasks[0], 91)
    more = {"aux_loss": True} if card.tasks[0] is Task.SEMANTIC_SEGMENTATION else {}
    network = _small(str(card.details["architecture"]), num_classes=count, **more)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim > 1 and "cls" in name:
                value.normal_(0, 2.0)  # or no class would be sure enough for the library's own threshold
    torch.save(network.state_dict(), folder / "weights.pth")


def files(card: ModelCard) -> dict[str, str]:
    """The file as a card names it: what is in the shared folder, under its name in the models folder."""
    return {"weights.pth": card.files[0].name}


def _small(architecture: str, *, num_classes: int, aux_loss: bool = False, **_: Any) -> Any:
    from torchvision.models.detection import FasterRCNN, KeypointRCNN, MaskRCNN
    from torchvision.models.resnet import BasicBlock, ResNet
    from torchvision.models.vision_transformer import VisionTransformer

    if architecture.startswith("resnet"):
        return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=num_classes)
    if architecture.startswith("vit"):
        return VisionTransformer(224, 32, 1, 2, 16, 16, num_classes=num_classes)
    if architecture.startswith(("deeplabv3", "fcn")):
        return _segmenter(architecture, num_classes, aux_loss)
    kinds = {"fasterrcnn": FasterRCNN, "maskrcnn": MaskRCNN, "keypointrcnn": KeypointRCNN}
    return _detector(kinds[architecture.partition("_")[0]], num_classes)


def _detector(kind: Any, num_classes: int) -> Any:
    from torch import nn
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.ops import MultiScaleRoIAlign

    backbone = nn.Sequential(nn.Conv2d(3, 8, 7, 4, 3), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
    backbone.out_channels = 16  # type: ignore[assignment]
    pools = {"box_roi_pool": 7, "mask_roi_pool": 14, "keypoint_roi_pool": 14}
    wanted = {"FasterRCNN": 1, "MaskRCNN": 2, "KeypointRCNN": 3}[kind.__name__]
    names = ["box_roi_pool", *(["mask_roi_pool"] if wanted == 2 else ["keypoint_roi_pool"] if wanted == 3 else [])]
    return kind(
        backbone,
        num_classes,
        min_size=64,
        max_size=128,
        rpn_anchor_generator=AnchorGenerator(((16, 32),), ((0.5, 1.0),)),
        rpn_post_nms_top_n_test=20,
        box_detections_per_img=10,
        **{name: MultiScaleRoIAlign(["0"], pools[name], 2) for name in names},
    )


def _segmenter(architecture: str, num_classes: int, aux_loss: bool) -> Any:
    from torchvision.models._utils import IntermediateLayerGetter
    from torchvision.models.resnet import BasicBlock, ResNet
    from torchvision.models.segmentation import FCN, DeepLabV3
    from torchvision.models.segmentation.deeplabv3 import DeepLabHead
    from torchvision.models.segmentation.fcn import FCNHead

    layers = {"layer4": "out"} | ({"layer3": "aux"} if aux_loss else {})
    backbone = IntermediateLayerGetter(ResNet(BasicBlock, [1, 1, 1, 1]), layers)
    aux = FCNHead(256, num_classes) if aux_loss else None
    if architecture.startswith("fcn"):
        return FCN(backbone, FCNHead(512, num_classes), aux)
    return DeepLabV3(backbone, DeepLabHead(512, num_classes), aux)
