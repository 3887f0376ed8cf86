"""Which files an ONNX file needs besides itself: its description, lists of names, weights that are kept apart."""

from __future__ import annotations

import mmap
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.models.folder import records

_KEY = b"\x0a\x08location"  # how the key stands in the file, where any weights are kept apart


def weights_apart(path: Path) -> list[str]:
    """Return the names of the files, below the model's folder, that hold weights of it. Raises ModelError.

    A file that cannot be read as ONNX has none: whoever opens it says what is wrong with it.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(_KEY) < 0:
                return []
    except ValueError:  # an empty file
        return []
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}", remedy="Check the file.") from error
    import onnx

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception:  # protobuf has errors of its own
        return []
    kept = [entry.value for tensor in graph.initializer for entry in tensor.external_data if entry.key == "location"]
    return sorted({name for name in kept if records.is_inside(name)})


def files(path: Path) -> list[Path]:
    """Return the files beside a model that it cannot be used without, as far as they are there. Raises ModelError."""
    from countersign.models.onnx import reading, session

    found = reading.read(path, session.read_signature(path))
    lists = [item for item in (found.description.classes, found.description.keypoints) if isinstance(item, str)]
    named = [reading.beside(path), *(found.folder / item for item in lists)]
    named += [path.parent / name for name in weights_apart(path)]
    return [file for file in named if file is not None and file.is_file()]
