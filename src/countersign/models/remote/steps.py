"""Declared steps before an image is sent and after numbers came back. Arrays in, arrays out; no network is known
here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from countersign.domain.errors import ModelError


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Resize(_Step):
    """Resize to a size in pixels. Results are scaled back."""

    step: Literal["resize"] = "resize"
    width: Annotated[int, Field(ge=1, le=20_000)]
    height: Annotated[int, Field(ge=1, le=20_000)]


class Bands(_Step):
    """Choose bands by number, counted from 0, in the order that the model wants."""

    step: Literal["bands"] = "bands"
    select: Annotated[tuple[Annotated[int, Field(ge=0, le=1000)], ...], Field(min_length=1, max_length=1000)]


class Normalise(_Step):
    """(value * scale - mean) / std for each band; floats can travel as TIFF only."""

    step: Literal["normalise"] = "normalise"
    scale: float = 1.0
    mean: Annotated[tuple[float, ...], Field(min_length=1)] = (0.0,)
    std: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (1.0,)


class Softmax(_Step):
    """Turn numbers of classes into probabilities that add up to 1."""

    step: Literal["softmax"] = "softmax"


class Sigmoid(_Step):
    """Turn each number into a probability of its own."""

    step: Literal["sigmoid"] = "sigmoid"


class Threshold(_Step):
    """Take values below for 0; of a map of one channel: 1 from the value on, else 0."""

    step: Literal["threshold"] = "threshold"
    value: float = 0.5


class Argmax(_Step):
    """Of a map with a channel per class, take the class with the highest value at each pixel."""

    step: Literal["argmax"] = "argmax"


Pre = Annotated[Resize | Bands | Normalise, Field(discriminator="step")]
Post = Annotated[Softmax | Sigmoid | Threshold | Argmax, Field(discriminator="step")]


def before(image: NDArray[Any], steps: Sequence[Resize | Bands | Normalise]) -> NDArray[Any]:
    """Put (height, width, bands) through the steps. Raises ModelError where a band is not there."""
    import cv2

    for step in steps:
        if isinstance(step, Resize):
            shrinks = step.width < image.shape[1] and step.height < image.shape[0]
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            layers = [cv2.resize(image[..., band], (step.width, step.height), interpolation=how)
                      for band in range(image.shape[2])]  # fmt: skip
            image = np.stack(layers, axis=2)
        elif isinstance(step, Bands):
            missing = [band for band in step.select if band >= image.shape[2]]
            if missing:
                raise ModelError(f"the image has {image.shape[2]} bands, no band {missing[0]} (counted from 0)")
            image = image[..., list(step.select)]
        else:
            image = _normalised(image, step)
    return image


def _normalised(image: NDArray[Any], step: Normalise) -> NDArray[np.float32]:
    bands = image.shape[2]
    if len(step.mean) not in (1, bands) or len(step.std) not in (1, bands):
        raise ModelError(f"normalise has {len(step.mean)} means and {len(step.std)} deviations for {bands} bands")
    scaled = image.astype(np.float32) * step.scale
    return ((scaled - np.asarray(step.mean, np.float32)) / np.asarray(step.std, np.float32)).astype(np.float32)


def after(
    values: NDArray[np.float64], steps: Sequence[Softmax | Sigmoid | Threshold | Argmax], axis: int
) -> NDArray[np.float64]:
    """Put numbers through the steps; ``axis`` is that of the classes."""
    for step in steps:
        if isinstance(step, Softmax):
            raised = np.exp(values - values.max(axis=axis, keepdims=True))
            values = raised / raised.sum(axis=axis, keepdims=True)
        elif isinstance(step, Sigmoid):
            values = 0.5 * (1.0 + np.tanh(0.5 * values))  # never overflows
        elif isinstance(step, Threshold):
            values = np.where(values >= step.value, values if values.ndim == 1 else 1.0, 0.0)
        elif values.ndim == 3:
            values = values.argmax(axis=axis).astype(np.float64)
    return values
