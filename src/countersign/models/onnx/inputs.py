"""The declared input of a model, and how an image becomes it: resize, colours, values, layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from countersign.models.contract import Pixels
from countersign.models.onnx.frame import Frame, Size


class Declared(BaseModel):
    """A part of a description: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Side = Annotated[int, Field(ge=1, le=16384)]
Triple = tuple[float, float, float]
Extra = Literal["image_wh", "image_hw", "input_wh", "input_hw", "scale_hw"]


class Input(Declared):
    """What the model takes. What the file itself says (name, size, layout, dtype) need not be declared."""

    name: str | None = None
    """Name of the input that takes the image (default: the only one that can)."""
    size: tuple[Side, Side] | Literal["dynamic"] | None = None
    """Height and width in pixels, or `dynamic`: as the image is, within `longest` and `multiple_of`."""
    multiple_of: Side = 32
    """With a dynamic size: height and width are multiples of this."""
    longest: Side = 640
    """With a dynamic size: the longer side is this long."""
    layout: Literal["NCHW", "NHWC"] | None = None
    """Order of the axes (default: told from where the 3 channels are)."""
    colour: Literal["RGB", "BGR", "GREY"] = "RGB"
    """Order of the channels."""
    dtype: Literal["float32", "float16", "uint8", "int8", "int32"] | None = None
    """Kind of numbers (default: as the file says)."""
    divide: Annotated[float, Field(gt=0)] | None = None
    """Pixels 0 to 255 are divided by this: 255 for 0..1, 1 for 0..255, 127.5 with mean 1 for -1..1."""
    mean: float | Triple = 0.0
    """Then this is taken away, one number or one per channel in the order of `colour`."""
    std: float | Triple = 1.0
    """Then it is divided by this."""
    resize: Literal["stretch", "letterbox", "letterbox_centred", "centre_crop"] = "stretch"
    """How the image is fitted: stretched, in proportion at the top left or in the middle, or its middle cut out."""
    fill: Annotated[int, Field(ge=0, le=255)] = 114
    """Grey value around a letterboxed image."""
    crop: Annotated[float, Field(gt=0, le=1)] = 1.0
    """With `centre_crop`: the part of the shorter side that is kept, 0.875 for instance."""
    interpolation: Literal["linear", "area", "cubic", "nearest"] = "linear"
    """How pixels are mixed when resizing."""
    batch: bool | None = None
    """Whether several images may be given at once (default: told from the shapes)."""
    extra: dict[str, Extra] = {}
    """Other inputs by name, and which size they want: of the image, of the input, or the scale between them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One image ready for the network: (C, H, W) or (H, W, C) in the input's own type, and where the image lies."""

    pixels: NDArray[Any]
    frame: Frame


@dataclass(frozen=True, slots=True)
class Fit:
    """An input with nothing left open: what the file said and what was declared."""

    name: str
    size: Size | None
    layout: str
    dtype: str
    declared: Input

    def prepare(self, image: Pixels) -> Prepared:
        """Make the input of one image (height, width, 3)."""
        fitted, frame = self._resize(image)
        values = self._values(fitted)
        if self.layout == "NCHW":
            values = values.transpose(2, 0, 1)
        return Prepared(np.ascontiguousarray(values), frame)

    def extras(self, frame: Frame) -> dict[str, NDArray[Any]]:
        """Make the other inputs of one image, each (2,)."""
        (height, width), (rows, columns) = frame.image, frame.input
        values: dict[str, tuple[float, float]] = {
            "image_wh": (width, height),
            "image_hw": (height, width),
            "input_wh": (columns, rows),
            "input_hw": (rows, columns),
            "scale_hw": (frame.scale_y, frame.scale_x),
        }
        return {name: np.array(values[kind]) for name, kind in self.declared.extra.items()}

    def _resize(self, image: Pixels) -> tuple[Pixels, Frame]:
        import cv2

        height, width = image.shape[:2]
        rows, columns = self.size or self._free_size(height, width)
        way = {
            "linear": cv2.INTER_LINEAR,
            "area": cv2.INTER_AREA,
            "cubic": cv2.INTER_CUBIC,
            "nearest": cv2.INTER_NEAREST,
        }[self.declared.interpolation]
        kind = self.declared.resize
        if kind == "stretch":
            fitted = cv2.resize(image, (columns, rows), interpolation=way)
            return fitted, Frame((height, width), (rows, columns), columns / width, rows / height)
        if kind == "centre_crop":
            return self._crop(image, rows, columns, way)
        scale = min(rows / height, columns / width)
        new_height, new_width = min(rows, max(1, round(height * scale))), min(columns, max(1, round(width * scale)))
        middle = kind == "letterbox_centred"
        top, left = ((rows - new_height) // 2, (columns - new_width) // 2) if middle else (0, 0)
        canvas = np.full((rows, columns, 3), self.declared.fill, np.uint8)
        part = cv2.resize(image, (new_width, new_height), interpolation=way)
        canvas[top : top + new_height, left : left + new_width] = part
        frame = Frame((height, width), (rows, columns), new_width / width, new_height / height, left, top)
        return canvas, frame

    def _crop(self, image: Pixels, rows: int, columns: int, way: int) -> tuple[Pixels, Frame]:
        import cv2

        height, width = image.shape[:2]
        scale = max(rows / height, columns / width) / self.declared.crop
        cut_height, cut_width = min(height, max(1, round(rows / scale))), min(width, max(1, round(columns / scale)))
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        cut = image[top : top + cut_height, left : left + cut_width]
        scale_x, scale_y = columns / cut_width, rows / cut_height
        frame = Frame((height, width), (rows, columns), scale_x, scale_y, -left * scale_x, -top * scale_y)
        return cv2.resize(cut, (columns, rows), interpolation=way), frame

    def _free_size(self, height: int, width: int) -> Size:
        step = self.declared.multiple_of
        scale = self.declared.longest / max(height, width)
        return max(step, round(height * scale / step) * step), max(step, round(width * scale / step) * step)

    def _values(self, pixels: Pixels) -> NDArray[Any]:
        import cv2

        declared = self.declared
        if declared.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        elif declared.colour == "GREY":
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None]
        plain = declared.divide in (None, 1.0) and declared.mean == 0 and declared.std == 1
        if plain:
            return pixels.astype(self.dtype)
        mean, std = np.asarray(declared.mean, np.float32), np.asarray(declared.std, np.float32)
        scale = (1.0 / ((declared.divide or 1.0) * std)).astype(np.float32)
        values: NDArray[Any] = np.multiply(pixels, scale, dtype=np.float32)
        values -= mean / std
        if np.dtype(self.dtype).kind in "iu":
            limits = np.iinfo(self.dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
        return values.astype(self.dtype, copy=False)
