"""What the two processes say to each other: a line of JSON, then the bytes of the arrays that it announces.

Only plain values and numbers pass, never a pickle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

_KINDS = ("|u1", "<f4", "<i8")
Message = tuple[dict[str, Any], list[NDArray[Any]]]


def write(stream: BinaryIO, header: dict[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> None:
    """Send a header and its arrays (uint8, float32 or int64). Raises OSError where nobody listens any more."""
    solid = [np.ascontiguousarray(array) for array in arrays]
    said = [{"kind": array.dtype.str, "shape": array.shape} for array in solid]
    stream.write(orjson.dumps(header | {"arrays": said}) + b"\n")
    for array in solid:
        stream.write(array.tobytes())
    stream.flush()


def read(stream: BinaryIO) -> Message | None:
    """Return the next message, or None where the other side is gone (also in the middle of a message)."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    header: dict[str, Any] = orjson.loads(line)
    arrays = []
    for said in header.pop("arrays"):
        if said["kind"] not in _KINDS:
            raise ValueError(f"arrays of {said['kind']!r} are not sent")
        kind, shape = np.dtype(said["kind"]), tuple(int(side) for side in said["shape"])
        wanted = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        content = stream.read(wanted)
        if len(content) < wanted:
            return None
        arrays.append(np.frombuffer(content, kind).reshape(shape))
    return header, arrays
