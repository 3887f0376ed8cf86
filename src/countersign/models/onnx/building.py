"""From a description and what the file says of itself to a card, a fitted input and names: everything checked once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard, Task
from countersign.models.onnx.decoders.base import Labels
from countersign.models.onnx.description import Description, names_of
from countersign.models.onnx.frame import Size
from countersign.models.onnx.inputs import Fit, Input
from countersign.models.onnx.reading import Found
from countersign.models.onnx.session import Signature, Tensor
from countersign.models.vocabularies import unique

_FLOATS = ("float32", "float16")
_KINDS = (*_FLOATS, "uint8", "int8", "int32")


def fit(found: Found, signature: Signature) -> Fit:
    """Bring the declared input together with the file's. Raises ModelError for what does not fit or is missing."""
    declared, where = found.description.input, found.origin
    tensor = _image_input(declared, signature, where)
    others = [item.name for item in signature.inputs if item.name != tensor.name]
    lacking = [name for name in others if name not in declared.extra]
    if lacking:
        raise ModelError(
            f"{where}: the model wants {', '.join(lacking)} besides the image",
            remedy=f"Declare what it means, for instance input.extra: {{{lacking[0]}: image_wh}}",
        )
    unknown = [name for name in declared.extra if name not in others]
    if unknown:
        raise ModelError(f"{where}: input.extra names {', '.join(unknown)}", remedy=f"The model has {signature}.")
    if len(tensor.shape) != 4:
        raise ModelError(f"{where}: the input {tensor} is no batch of images", remedy="It should have four axes.")
    dtype = _dtype(declared, tensor, where)
    layout = declared.layout or _layout(declared, tensor, where)
    channels = tensor.shape[1 if layout == "NCHW" else 3]
    wanted = 1 if declared.colour == "GREY" else 3
    if isinstance(channels, int) and channels != wanted:
        raise ModelError(
            f"{where}: {declared.colour} makes {wanted} channels, but the input is {tensor}",
            remedy="Declare input.colour (RGB, BGR or GREY) and input.layout (NCHW or NHWC) as the model has them.",
        )
    return Fit(tensor.name, _size(declared, tensor, layout, where), layout, dtype, declared)


def _image_input(declared: Input, signature: Signature, where: str) -> Tensor:
    if declared.name is not None:
        for tensor in signature.inputs:
            if tensor.name == declared.name:
                return tensor
        raise ModelError(f"{where}: there is no input {declared.name!r}", remedy=f"The model has {signature}.")
    able = [tensor for tensor in signature.inputs if len(tensor.shape) == 4]
    if len(able) != 1:
        raise ModelError(
            f"{where}: which input takes the image cannot be told", remedy=f"Declare input.name. It has {signature}."
        )
    return able[0]


def _dtype(declared: Input, tensor: Tensor, where: str) -> str:
    dtype = declared.dtype or tensor.dtype
    if dtype != tensor.dtype:
        raise ModelError(f"{where}: input.dtype is {dtype}, but the model takes {tensor}", remedy="Leave it out.")
    if dtype not in _KINDS:
        raise ModelError(f"{where}: the model takes {tensor}", remedy=f"It may be {', '.join(_KINDS)}.")
    if dtype in _FLOATS and declared.divide is None:
        raise ModelError(
            f"{where}: input.divide is missing: how pixels become the numbers of {tensor} cannot be told from it",
            remedy="It is 255 for 0..1, 1 for 0..255, 127.5 with mean 1 for -1..1; with mean and std where needed.",
        )
    return dtype


def _layout(declared: Input, tensor: Tensor, where: str) -> str:
    count = 1 if declared.colour == "GREY" else 3
    first, last = tensor.shape[1] == count, tensor.shape[3] == count
    if first == last:
        raise ModelError(f"{where}: the order of the axes of {tensor} cannot be told", remedy="Declare input.layout.")
    return "NCHW" if first else "NHWC"


def _size(declared: Input, tensor: Tensor, layout: str, where: str) -> Size | None:
    axes = tensor.shape[2:4] if layout == "NCHW" else tensor.shape[1:3]
    open_axes = [axis for axis in axes if not isinstance(axis, int)]
    if declared.size == "dynamic":
        if open_axes:
            return None
        raise ModelError(f"{where}: input.size is dynamic, but the model takes {tensor}", remedy="Leave it out.")
    if declared.size is None:
        if open_axes:
            raise ModelError(
                f"{where}: input.size is missing: {tensor} leaves it open",
                remedy="Declare [height, width], or dynamic.",
            )
        return int(str(axes[0])), int(str(axes[1]))
    if any(isinstance(axis, int) and axis != side for axis, side in zip(axes, declared.size, strict=True)):
        raise ModelError(
            f"{where}: input.size is {list(declared.size)} (height, width), but the model takes {tensor}",
            remedy="Leave it out.",
        )
    return declared.size


def labels(found: Found, signature: Signature, named: Path | None = None) -> Labels:
    """Return what the numbers mean. Raises ModelError where the number of names does not fit.

    ``named`` is a text file with other names for the classes, one a line: for all, or for those that are shown.
    """
    described = found.description
    chosen = described.output.select(signature.outputs)
    by_name = {tensor.name: tensor for tensor in signature.outputs}
    count = described.output.count([by_name[name] for name in chosen])
    names = _class_names(described, found, count)
    if named is not None and names:
        names = _renamed(names, names_of(str(named), named.parent, "classes") or (), described, named)
    keypoints = names_of(described.keypoints, found.folder, "keypoints") or ()
    bones = [bone for pair in described.skeleton for bone in pair]
    if bones and not 0 <= min(bones) <= max(bones) < len(keypoints):
        raise ModelError(
            f"{found.origin}: the skeleton speaks of keypoint {max(bones)}, there are {len(keypoints)} (0 is the first)"
        )
    return Labels(names, keypoints, described.nms, described.nms_across_classes)


def _class_names(described: Description, found: Found, count: int | None) -> tuple[str, ...]:
    declared = described.classes
    if isinstance(declared, dict):
        last = max(declared, default=-1)
        if min(declared, default=0) < 0 or last > 100_000:
            raise ModelError(f"{found.origin}: classes are numbered from 0", remedy="Check the numbers.")
        declared = [declared.get(index, "") for index in range(last + 1)]
    names = names_of(declared, found.folder, "classes")
    if Task.EMBEDDING in described.tasks():
        return ()
    if names is None:
        if count is None:
            raise ModelError(
                f"{found.origin}: classes is missing, and the model does not say how many there are",
                remedy="Declare their names in the model's order, or a text file beside the description.",
            )
        names = tuple(f"class {index}" for index in range(count))
    background = _background(described, len(names))
    shown = [name for index, name in enumerate(names) if name and index != background]
    if not shown:
        raise ModelError(f"{found.origin}: there is no class", remedy="Declare at least one.")
    twice = sorted({name for name in shown if shown.count(name) > 1}) if len(set(shown)) < len(shown) else []
    if twice:
        names = unique(names)
    return names


def _renamed(names: tuple[str, ...], given: tuple[str, ...], described: Description, file: Path) -> tuple[str, ...]:
    background = _background(described, len(names))
    shown = [index for index, name in enumerate(names) if name and index != background]
    if len(given) == len(names):
        return unique(given)
    if len(given) != len(shown):
        raise ModelError(
            f"{file} has {len(given)} names, but the model knows {len(shown)} classes",
            remedy="Give one name a line for each class, in the model's order.",
        )
    others = dict(zip(shown, given, strict=True))
    return unique(tuple(others.get(index, name) for index, name in enumerate(names)))


def _background(described: Description, count: int) -> int | None:
    index: int | None = getattr(described.output, "background", None)
    if index is None or count == 1:
        return None
    if index == -1:
        return None  # it comes after the last name
    return index


def card(path: Path, found: Found, meaning: Labels, fitted: Fit, *, name: str, weights_hash: str) -> ModelCard:
    """Make the card of a described model."""
    described = found.description
    background = _background(described, len(meaning.names))
    classes = tuple(label for index, label in enumerate(meaning.names) if label and index != background)
    size = "dynamic" if fitted.size is None else f"{fitted.size[0]} x {fitted.size[1]}"
    details: dict[str, Any] = {
        "decoder": described.output.decoder,
        "described_by": found.origin,
        "input": f"{fitted.layout} {described.input.colour} {fitted.dtype} {size}",
        "engine": "onnxruntime",
    }
    if meaning.keypoints and Task.POSE in described.tasks():
        details |= {"keypoint_names": list(meaning.keypoints), "skeleton": [list(bone) for bone in described.skeleton]}
    return ModelCard(
        name=described.name or name,
        family="onnx",
        tasks=described.tasks(),
        classes=classes,
        version=described.version,
        size=size,
        description=described.description,
        author=described.author,
        source=described.source,
        licence=described.licence,
        download_bytes=path.stat().st_size,
        weights_hash=weights_hash,
        min_confidence=described.min_confidence,
        details=details,
    )
