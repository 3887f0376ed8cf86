"""The network: a backbone, a light neck that brings its maps together, and up to three heads.

The neck adds coarse maps to finer ones, top down (Lin et al. 2017, Feature Pyramid Networks), but keeps one map at
stride 8 for boxes and one at stride 4 for painted classes. What labels are and how losses are computed is not known
here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from countersign.learn.backbone import Backbone, BackboneInfo, create

STRIDE = 8
"""Pixels of the network's input per cell of the detection map."""
FINE_STRIDE = 4
"""Pixels per cell of the segmentation map, before it is scaled up."""
WIDTH = 64
"""Channels of neck and heads."""
DETAIL_STRIDE = 2
"""Pixels per cell of the segmentation map where nothing but painted regions is learned."""
DETAIL_WIDTH = 24
"""Channels at that stride."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """All that is needed to build a network again: saved in the card.

    ``size`` is the (height, width) that the backbone is made for. ``boxes``, ``paints`` and ``tags`` count the classes
    of the three heads, 0 where there is none. ``all_stages`` keeps the deepest stages of the backbone. ``detail`` gives
    the segmentation map a cell for every 2 pixels instead of 4: small regions are mostly border.
    """

    backbone: str
    size: tuple[int, int]
    boxes: int
    paints: int
    tags: int
    all_stages: bool = False
    detail: bool = False


@dataclass(slots=True)
class Output:
    """What a network says of a batch, float32. None where there is no such head.

    ``heat``: (batch, classes, height/8, width/8) logits of "an object of this class has its middle here".
    ``sides``: (batch, 4, height/8, width/8) distances in input pixels from the cell's middle to left, top, right,
    bottom. ``paint``: (batch, 1 + classes, height/4, width/4) logits, background first, or half of the sides where the
    network has detail. ``tags``: (batch, classes) logits.
    """

    heat: Tensor | None = None
    sides: Tensor | None = None
    paint: Tensor | None = None
    tags: Tensor | None = None


class Network(nn.Module):
    """Backbone, neck and heads as ``spec`` says. Takes (batch, 3, height, width) RGB, uint8 or float 0..255."""

    def __init__(self, backbone: Backbone, info: BackboneInfo, spec: NetworkSpec) -> None:
        super().__init__()
        self.backbone = backbone
        self.strides = info.strides
        self.lateral = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in info.channels)
        if spec.boxes:
            self.box_neck = _block()
            self.heat = nn.Sequential(_block(), nn.Conv2d(WIDTH, spec.boxes, 1))
            self.sides = nn.Sequential(_block(), nn.Conv2d(WIDTH, 4, 1))
        if spec.paints:
            outputs = 1 + spec.paints
            self.paint = Detail(outputs) if spec.detail else nn.Sequential(_block(), nn.Conv2d(WIDTH, outputs, 1))
        if spec.tags:
            self.tags = nn.Sequential(nn.Dropout(0.2), nn.Linear(info.channels[-1], spec.tags))
        self.spec = spec
        self._initialise()

    def _initialise(self) -> None:
        if self.spec.boxes:
            heat, sides = self.heat[-1], self.sides[-1]
            # sigmoid(-2.2) = 0.1: the focal loss does not start by unlearning a half everywhere (Lin et al. 2017).
            nn.init.constant_(heat.bias, -2.2)  # type: ignore[arg-type]
            nn.init.constant_(sides.bias, math.log(3.0))  # type: ignore[arg-type]
            nn.init.normal_(sides.weight, std=0.01)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Output:
        maps = self.backbone(images)
        out = Output()
        if self.spec.tags:
            out.tags = self.tags(maps[-1].mean((2, 3))).float()
        if not (self.spec.boxes or self.spec.paints):
            return out
        levels = self._pyramid(maps)
        if self.spec.boxes:
            neck = self.box_neck(_to(self._at(levels, STRIDE), images, STRIDE))
            out.heat = self.heat(neck).float()
            # exp of a clamped value: between an eighth of a cell and some 400 cells, and never a NaN.
            out.sides = self.sides(neck).float().clamp(-2.0, 6.0).exp() * STRIDE
        if self.spec.paints:
            neck = _to(self._at(levels, FINE_STRIDE), images, FINE_STRIDE)
            views = (neck, self.backbone.normalised(images)) if self.spec.detail else (neck,)
            out.paint = self.paint(*views).float()
        return out

    def _pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """Top down: each level gets the next coarser one added. Levels finer than any head needs are left out."""
        finest = FINE_STRIDE if self.spec.paints else STRIDE
        first = max((i for i, stride in enumerate(self.strides) if stride <= finest), default=0)
        level = self.lateral[-1](maps[-1])
        levels = [level]
        for index in range(len(maps) - 2, first - 1, -1):
            finer = self.lateral[index](maps[index])
            level = F.interpolate(level, size=finer.shape[-2:], mode="nearest") + finer
            levels.append(level)
        return levels[::-1]

    def _at(self, levels: list[Tensor], stride: int) -> Tensor:
        strides = self.strides[len(self.strides) - len(levels) :]
        fitting = [i for i, found in enumerate(strides) if found <= stride]
        return levels[fitting[-1] if fitting else 0]


class Detail(nn.Module):
    """A segmentation head that puts what the neck knows and what the picture itself shows together at stride 2."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.coarse = nn.Sequential(_block(), nn.Conv2d(WIDTH, DETAIL_WIDTH, 1))
        self.picture = _block(3, DETAIL_WIDTH, stride=DETAIL_STRIDE)
        self.both = nn.Sequential(_block(2 * DETAIL_WIDTH, DETAIL_WIDTH), nn.Conv2d(DETAIL_WIDTH, outputs, 1))

    def forward(self, neck: Tensor, images: Tensor) -> Tensor:
        """``neck``: (batch, WIDTH, height/4, width/4). ``images``: (batch, 3, height, width), normalised."""
        fine = self.picture(images)
        coarse = F.interpolate(self.coarse(neck), size=fine.shape[-2:], mode="bilinear", align_corners=False)
        found: Tensor = self.both(torch.cat([coarse, fine], 1))
        return found


def build(spec: NetworkSpec, *, pretrained: bool = False, weights: str | None = None) -> tuple[Network, BackboneInfo]:
    """Build a network with fresh heads. Raises SettingsError for a backbone that cannot be used."""
    backbone, info = create(
        spec.backbone, spec.size, pretrained=pretrained, weights=weights, all_stages=spec.all_stages
    )
    return Network(backbone, info, spec), info


def _block(inputs: int = WIDTH, outputs: int = WIDTH, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _to(found: Tensor, images: Tensor, stride: int) -> Tensor:
    size = (math.ceil(images.shape[-2] / stride), math.ceil(images.shape[-1] / stride))
    if tuple(found.shape[-2:]) == size:
        return found
    return F.interpolate(found, size=size, mode="bilinear", align_corners=False)
