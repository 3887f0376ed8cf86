"""Losses of the three heads. Each returns a scalar tensor; 0 (with a gradient) where a batch has nothing for a head."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from countersign.learn.data import IGNORE
from countersign.learn.network import STRIDE, Output
from countersign.learn.targets import Targets

BOX_WEIGHT = 2.0


def compute(out: Output, targets: Targets, *, multi_tag: bool) -> dict[str, Tensor]:
    """Return the loss of every head there is, by the head's name."""
    found: dict[str, Tensor] = {}
    if out.heat is not None and out.sides is not None:
        found["detection"] = heat_loss(out.heat, targets) + BOX_WEIGHT * box_loss(out.sides, targets)
    if out.paint is not None and targets.paint is not None:
        found["segmentation"] = paint_loss(out.paint, targets.paint)
    if out.tags is not None and targets.tags is not None:
        found["classification"] = tag_loss(out.tags, targets.tags, multi=multi_tag)
    return found


def heat_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Focal loss on Gaussians (Law and Deng 2018, CornerNet, eq. 1: alpha 2, beta 4), for each object."""
    assert targets.heat is not None
    assert targets.care is not None
    logits = logits.permute(0, 2, 3, 1)
    middle = targets.heat >= 0.999
    found = logits.sigmoid()
    hit = (F.logsigmoid(logits) * (1 - found) ** 2)[middle].sum()
    miss = (F.logsigmoid(-logits) * found**2 * (1 - targets.heat) ** 4 * targets.care[..., None]).sum()
    # At the middles the factor (1 - heat) is 0 (to rounding), so that they need no masking in the second sum.
    return -(hit + miss) / max(1, int(middle.sum()))


def box_loss(sides: Tensor, targets: Targets) -> Tensor:
    """Generalised IoU loss (Rezatofighi et al. 2019) of the cells under a Gaussian, weighted by it."""
    assert targets.boxes is not None
    assert targets.weights is not None
    under = targets.weights > 0
    if not bool(under.any()):
        return sides.sum() * 0
    weights = targets.weights[under]
    return ((1 - giou(decode(sides)[under], targets.boxes[under])) * weights).sum() / weights.sum()


def decode(sides: Tensor) -> Tensor:
    """Turn (batch, 4, h, w) distances into (batch, h, w, 4) corners x0 y0 x1 y1, in input pixels."""
    sides = sides.permute(0, 2, 3, 1)
    height, width = sides.shape[1:3]
    y, x = torch.meshgrid(
        torch.arange(height, device=sides.device) + 0.5, torch.arange(width, device=sides.device) + 0.5, indexing="ij"
    )
    middle = torch.stack([x, y], -1) * STRIDE
    return torch.cat([middle - sides[..., :2], middle + sides[..., 2:]], -1)


def giou(first: Tensor, second: Tensor) -> Tensor:
    """Generalised IoU of (n, 4) corner boxes, pair by pair, in -1..1."""
    overlap = (torch.min(first[:, 2:], second[:, 2:]) - torch.max(first[:, :2], second[:, :2])).clamp(min=0).prod(1)
    hull = (torch.max(first[:, 2:], second[:, 2:]) - torch.min(first[:, :2], second[:, :2])).clamp(min=0).prod(1)
    union = (first[:, 2:] - first[:, :2]).clamp(min=0).prod(1) + (second[:, 2:] - second[:, :2]).prod(1) - overlap
    return overlap / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)


def paint_loss(logits: Tensor, paint: Tensor) -> Tensor:
    """Cross entropy plus soft Dice (Milletari et al. 2016) at the full size of the input."""
    known = paint != IGNORE
    if not bool(known.any()):
        return logits.sum() * 0
    logits = F.interpolate(logits, size=paint.shape[-2:], mode="bilinear", align_corners=False)
    entropy = F.cross_entropy(logits, paint, ignore_index=IGNORE)
    shares = logits.softmax(1) * known[:, None]
    truth = F.one_hot(paint.where(known, 0), logits.shape[1]).permute(0, 3, 1, 2) * known[:, None]
    # For each picture: one with few painted pixels shall not drown among those with many.
    both = (shares * truth).sum((2, 3))
    sizes = shares.sum((2, 3)) + truth.sum((2, 3))
    there = truth.sum((2, 3)) > 0
    dice = (2 * both + 1) / (sizes + 1)
    return entropy + (1 - dice)[there].mean()


def tag_loss(logits: Tensor, tags: Tensor, *, multi: bool) -> Tensor:
    """Cross entropy, or one yes-or-no loss for each class where an image may have several."""
    known = ~tags.isnan().any(1)
    if not bool(known.any()):
        return logits.sum() * 0
    if multi:
        return F.binary_cross_entropy_with_logits(logits[known], tags[known])
    return F.cross_entropy(logits[known], tags[known].argmax(1), label_smoothing=0.05)
