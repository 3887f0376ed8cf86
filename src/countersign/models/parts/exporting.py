"""A torch network as an ONNX file: for batches of any size, or where it has a size built in, for single images."""

from __future__ import annotations

import contextlib
import io
import shutil
import warnings
from pathlib import Path
from typing import Any

from numpy.typing import NDArray


def export(network: Any, images: NDArray[Any], file: Path) -> None:
    """Write the network, which takes (N, C, H, W); ``images`` is an example of two or more.

    The folder of ``file`` appears whole or not at all, in place of what was there; who calls it holds a lock. What a
    killed process left is removed. Raises what torch raises.
    """
    import torch

    folder = file.parent
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        said = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.simplefilter("ignore")
            _write(network, torch.from_numpy(images), part / file.name)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(network: Any, images: Any, file: Path) -> None:
    import torch

    program: Any = None
    try:
        traced = torch.export.export(
            network, (images[:2],), dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=1024)},), strict=False
        )
        program = _translated(traced, images[:2])
    except Exception:  # a network that counts its images as it is traced has no batch of any size
        program = None
    if program is None or isinstance(program.model.graph.inputs[0].shape[0], int):
        program = _translated(torch.export.export(network, (images[:1],), strict=False), images[:1])
    program.save(str(file))


def _translated(traced: Any, images: Any) -> Any:
    import torch

    found = torch.onnx.export(
        traced,
        (images,),
        dynamo=True,
        verbose=False,
        input_names=["images"],
        custom_translation_table=_translations(),
    )
    if found is None:
        raise RuntimeError("torch exported nothing")
    return found


def _translations() -> dict[Any, Any]:
    """What torch's exporter has no translation for: the check of shapes that transformers' detectors make."""
    import torch
    from onnxscript import opset18

    op: Any = opset18

    def is_all_true(values: Any) -> Any:
        return op.Cast(op.ReduceMin(op.Cast(values, to=_INT64), keepdims=0), to=_BOOL)

    return {torch.ops.aten._is_all_true.default: is_all_true}


_INT64, _BOOL = 7, 9  # ONNX's numbers of these types
