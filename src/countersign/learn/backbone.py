"""One backbone of any timm family, made to give a list of (batch, channels, height, width) maps, fine to coarse.

Families differ: Swin gives channels last, ViT several maps of one stride, MaxViT and ViT want to know the input size.
All of that is settled here by looking at what comes out for a probe, so that the heads above see one thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from countersign.domain.errors import ModelError, SettingsError

RANDOM = "random weights"
"""What ``BackboneInfo.pretrained`` says of a backbone that starts from nothing."""
MAX_UNTRAINED_STRIDE = 16
"""Without pretrained weights the stages beyond this stride are left out: in ResNet18 the last one holds three quarters
of the weights and takes a quarter of each step, and twenty images have nothing to fill it with."""


@dataclass(frozen=True, slots=True)
class BackboneInfo:
    """What a backbone turned out to be: strides and channels of its maps; ``fixed`` if it only takes one input size."""

    name: str
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    fixed: bool
    pretrained: str
    notices: tuple[str, ...] = ()


class Backbone(nn.Module):
    """A timm network that gives maps. ``forward`` takes (batch, 3, height, width) RGB, 0..255."""

    mean: Tensor
    std: Tensor

    def __init__(self, body: nn.Module, keep: list[int], channels_last: bool, own_size: tuple[int, int] | None) -> None:
        super().__init__()
        self.body = body
        self.keep = keep
        self.channels_last = channels_last
        self.own_size = own_size
        # Buffers, so that they are saved with the weights that were learned with them.
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 127.0))
        self.register_buffer("std", torch.full((1, 3, 1, 1), 64.0))

    def forward(self, images: Tensor) -> list[Tensor]:
        images = self.normalised(images)
        if self.own_size is not None and tuple(images.shape[-2:]) != self.own_size:
            images = F.interpolate(images, size=self.own_size, mode="bilinear", align_corners=False)
        maps: list[Tensor] = self.body(images)
        if self.channels_last:
            maps = [found.permute(0, 3, 1, 2) for found in maps]
        return [maps[index] for index in self.keep]

    def normalised(self, images: Tensor) -> Tensor:
        """Return the images as the weights want them: mean 0, deviation 1 over many pictures."""
        return ((images.float() - self.mean) / self.std).contiguous(memory_format=torch.channels_last)


def create(
    name: str, size: tuple[int, int], *, pretrained: bool = False, weights: str | None = None, all_stages: bool = False
) -> tuple[Backbone, BackboneInfo]:
    """Make a backbone for inputs of about ``size`` (height, width) in pixels.

    With ``pretrained`` it starts from ``weights`` (a safetensors file or a folder with one) or from timm's hub. Where
    these cannot be had it starts from random weights and says so in ``BackboneInfo.notices``. ``all_stages`` keeps the
    deepest stages also without pretrained weights. Raises SettingsError for a name that timm does not have maps for.
    """
    body, bound, origin, notices = _build(name, size, pretrained, weights)
    probe_size, maps = _probe(body, name, size)
    last = _is_channels_last(body, maps)
    shapes = [(m.shape[3], m.shape[1], m.shape[2]) if last else tuple(m.shape[1:]) for m in maps]
    strides = [max(1, round(probe_size[0] / shape[1])) for shape in shapes]
    keep = _choose(strides, all_stages or origin != RANDOM)
    own_size = probe_size if probe_size != size else None
    info = BackboneInfo(
        name,
        tuple(strides[index] for index in keep),
        tuple(shapes[index][0] for index in keep),
        bound or own_size is not None,
        origin,
        tuple(notices),
    )
    backbone = Backbone(_trim(body, keep, len(maps)), keep, last, own_size)
    if origin != RANDOM:
        _adopt_normalisation(backbone, body)
    return backbone, info


def _build(
    name: str, size: tuple[int, int], pretrained: bool, weights: str | None
) -> tuple[nn.Module, bool, str, list[str]]:
    import timm

    if not timm.is_model(name):
        near = timm.list_models(f"*{name}*")[:5]
        hint = f"a timm model, for example {', '.join(near or ['resnet18', 'mobilenetv3_small_100', 'convnext_atto'])}"
        raise SettingsError("backbone", name, hint)
    extra: dict[str, Any] = {}
    reason = ""
    if pretrained:
        try:
            if weights is not None:
                extra = {"pretrained_cfg_overlay": {"file": str(_weights_file(weights))}}
            body, bound = _create(name, size, {"pretrained": True, **extra})
            return body, bound, weights or "hub", []
        except (SettingsError, ModelError):
            raise
        except Exception as error:  # whatever hub, file system and timm raise; told to the user in the notice
            reason = (str(error) or type(error).__name__).splitlines()[0][:200]
    body, bound = _create(name, size, {"pretrained": False})
    if not pretrained:
        return body, bound, RANDOM, []
    where = f"from {weights}" if weights else "from the hub"
    text = f"the pretrained weights of {name} could not be had {where} ({reason}); it starts from random weights"
    return body, bound, RANDOM, [text]


def _create(name: str, size: tuple[int, int], arguments: dict[str, Any]) -> tuple[nn.Module, bool]:
    """Make the network; the flag says whether it was made for this one input size."""
    import timm

    try:
        return timm.create_model(name, features_only=True, img_size=size, **arguments), True
    except (TypeError, AssertionError, ValueError, AttributeError, RuntimeError):
        pass  # most families do not take a size, and some take it and then do not agree with it
    try:
        return timm.create_model(name, features_only=True, **arguments), False
    except (TypeError, AttributeError, AssertionError) as error:
        raise SettingsError("backbone", name, f"a timm model that gives feature maps ({error})") from error


def _weights_file(weights: str) -> Path:
    """Find the safetensors file that ``weights`` names or holds. Raises FileNotFoundError, ModelError."""
    path = Path(weights).expanduser()
    if path.is_dir():
        found = sorted(path.glob("*.safetensors"))
        if not found:
            raise FileNotFoundError(f"no .safetensors file in {path}")
        return found[0]
    if path.suffix != ".safetensors":
        raise ModelError(
            f"{path} is not a safetensors file", remedy="Weights in a pickle are refused: convert them to safetensors."
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    return path


def _probe(body: nn.Module, name: str, size: tuple[int, int]) -> tuple[tuple[int, int], list[Tensor]]:
    """Run an empty image through, at ``size`` or, where the network cannot take it, at the size it was made for."""
    tried = [size]
    if own := _config(body).get("input_size"):
        tried.append((int(own[1]), int(own[2])))
    tried += [(224, 224), (256, 256)]
    error: Exception | None = None
    training = body.training
    body.eval()
    for height, width in tried:
        try:
            with torch.no_grad():
                maps = body(torch.zeros(1, 3, height, width))
        except (RuntimeError, AssertionError, ValueError) as found:
            error = found
            continue
        body.train(training)
        return (height, width), list(maps)
    raise SettingsError("backbone", name, f"a timm model that takes images of {size[1]}x{size[0]} ({error})")


def _config(body: nn.Module) -> dict[str, Any]:
    for module in body.modules():
        config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
        if isinstance(config, dict):
            return config
    return {}


def _adopt_normalisation(backbone: Backbone, body: nn.Module) -> None:
    """Take over the mean and deviation that the weights were trained with (timm gives them for 0..1)."""
    config = _config(body)
    for name in ("mean", "std"):
        if config.get(name):
            values = torch.tensor([float(value) * 255 for value in config[name]])
            getattr(backbone, name).copy_(values.view(1, 3, 1, 1))


def _is_channels_last(body: nn.Module, maps: list[Tensor]) -> bool:
    info = getattr(body, "feature_info", None)
    if info is None:
        return False
    channels = list(info.channels())
    first = [m.shape[1] == count for m, count in zip(maps, channels, strict=False)]
    return not all(first) and all(m.shape[-1] == count for m, count in zip(maps, channels, strict=False))


def _choose(strides: list[int], all_stages: bool) -> list[int]:
    """Pick one map per stride from 4 on (the deepest of each); coarser ones only where they are worth it."""
    last_of = {stride: index for index, stride in enumerate(strides)}
    keep = [index for stride, index in sorted(last_of.items()) if stride >= 4]
    if not all_stages:
        shallow = [index for index in keep if strides[index] <= MAX_UNTRAINED_STRIDE]
        keep = shallow if len(shallow) >= 2 or len(shallow) == len(keep) else keep
    return keep or [len(strides) - 1]


def _trim(body: nn.Module, keep: list[int], maps: int) -> nn.Module:
    """Drop the stages behind the last map that is kept, where the network is a plain sequence of them."""
    if keep[-1] == maps - 1 or not hasattr(body, "return_layers") or not isinstance(body, nn.ModuleDict):
        return body
    names = list(body.keys())
    layers: Any = body.return_layers
    wanted = list(layers)[keep[-1]]
    if wanted in names and type(body).__name__ == "FeatureListNet":
        for extra in names[names.index(wanted) + 1 :]:
            del body[extra]
    return body
