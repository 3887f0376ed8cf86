"""The description of a model: what it takes, how its outputs are read, what its numbers mean, where it comes from.

Where a description comes from (a file, the model's metadata, a guess) is not known here.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from countersign.domain.errors import ModelError
from countersign.domain.model import Task
from countersign.models.onnx.decoders import Decoder, names
from countersign.models.onnx.inputs import Declared, Input

Names = list[str] | str
_MOST_BYTES = 4 << 20  # a description is a page of text; class names of 20,000 classes take half a megabyte


class Description(Declared):
    """All that must be said about an ONNX model so that it can be used."""

    name: str = ""
    """What it is called (default: the file's name)."""
    task: Task | None = None
    """Which of the decoder's tasks is the usual one (default: its first)."""
    version: str = "1"
    description: str = ""
    """One sentence."""
    author: str = ""
    source: str = ""
    """Address of the page that it comes from."""
    licence: str = ""
    """Licence of the weights, as an SPDX identifier where there is one."""
    input: Input = Input()
    output: Decoder
    classes: Names | dict[int, str] | None = None
    """Names in the model's order: a list, numbers with names, or a text file (one a line) beside this one."""
    keypoints: Names | None = None
    """Names of an object's keypoints: a list, or a text file."""
    skeleton: tuple[tuple[int, int], ...] = ()
    """Bones: pairs of keypoints, counted from 0."""
    nms: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of two boxes of a class that overlap by more than this (intersection over union) the less sure one goes."""
    nms_across_classes: bool = False
    """Whether boxes of different classes are doubles of each other, too."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Least confidence that is recommended."""

    @field_validator("task")
    @classmethod
    def _possible(cls, task: Task | None) -> Task | None:
        if task in (Task.PROMPTED_SEGMENTATION, Task.QUESTIONS):
            raise ValueError("an ONNX model of this kind cannot be described")
        return task

    @model_validator(mode="after")
    def _fitting(self) -> Description:
        if self.task is not None and self.task not in self.output.tasks():
            can = ", ".join(task.value for task in self.output.tasks())
            raise ValueError(f"task is {self.task.value}, but decoder {self.output.decoder} gives {can}")
        return self

    def tasks(self) -> tuple[Task, ...]:
        """Return its tasks, the usual one first."""
        able = self.output.tasks()
        return able if self.task is None else (self.task, *(task for task in able if task is not self.task))


def from_text(text: str, origin: str) -> Description:
    """Read YAML or JSON. ``origin`` says in errors where it stands. Raises ModelError that names each wrong key."""
    if len(text) > _MOST_BYTES:
        raise ModelError(f"{origin} is too long to be the description of a model", remedy="Check the file.")
    try:
        data = yaml.load(text, Loader=_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(getattr(error, "problem", "") or error).split())[:200]
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise ModelError(f"{origin}{where} is neither YAML nor JSON: {problem}", remedy="Mend the file.") from error
    return from_data(data, origin)


@functools.cache
def _loader() -> Any:
    """YAML's safe loader without aliases, with which a short file can become a huge one."""

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases (*name) are not allowed")
            return super().compose_node(parent, index)

    return Loader


def from_data(data: Any, origin: str) -> Description:
    """Check data. Raises as ``from_text``."""
    if not isinstance(data, dict):
        raise ModelError(f"{origin} holds no description: it should be keys with values", remedy=EXAMPLE_HINT)
    try:
        return Description.model_validate(data)
    except ValidationError as error:
        raise ModelError(f"{origin}: {_explain(error)}", remedy=_remedy(error)) from error


def names_of(declared: Names | None, folder: Path | None, what: str) -> tuple[str, ...] | None:
    """Return declared names; those in a file are read from ``folder``, and nowhere above it. Raises ModelError."""
    if declared is None:
        return None
    if isinstance(declared, list):
        return tuple(name.strip() for name in declared)
    if folder is None:
        raise ModelError(f"{what} names a file {declared!r}, but this description is not in a folder")
    path = (folder / declared).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ModelError(f"{what}: {declared!r} is outside {folder}", remedy="Put the file beside the model.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise ModelError(f"{what}: {path} cannot be read: {reason}", remedy="Put the file beside the model.") from error
    return tuple(line.strip() for line in text.rstrip("\r\n ").splitlines())


def schema() -> dict[str, Any]:
    """Return the JSON schema of a description."""
    found = Description.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


EXAMPLE = """\
input:
  size: [640, 640]            # height, width
  divide: 255                 # pixels become 0..1
  resize: letterbox_centred
output:
  decoder: yolov8
classes: [cat, dog]
nms: 0.45
licence: Apache-2.0
"""
EXAMPLE_HINT = "The guide 'Own models' shows one for each kind."


def _explain(error: ValidationError) -> str:
    """Say which key is wrong and what it may be, the first few of them."""
    found = [_one(item) for item in error.errors(include_url=False, include_context=True)]
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more


def _one(item: Any) -> str:
    # The path of a part of a union holds the union's tags: they are no keys that somebody wrote.
    path = [str(part) for part in item["loc"] if not (part in names() or part in _TAGS or "[" in str(part))]
    key = ".".join(path) or "the description"
    kind, context, given = item["type"], item.get("ctx", {}), item.get("input")
    if kind == "missing":
        return f"{key} is missing"
    if kind == "extra_forbidden":
        return f"there is no key {key}"
    if kind == "union_tag_not_found":
        return f"{key}.decoder is missing: it is one of {', '.join(names())}"
    if kind == "union_tag_invalid":
        return f"{key}.decoder is {context.get('tag')!r}, which is none of {', '.join(names())}"
    if kind in ("literal_error", "enum"):
        return f"{key} is {_short(given)}, which is not {context.get('expected')}"
    if kind == "value_error":
        return f"{key}: {context.get('error')}"
    return f"{key} is {_short(given)}: {item['msg'][:1].lower()}{item['msg'][1:]}"


_TAGS = ("str", "float")


def _short(value: Any) -> str:
    text = json.dumps(value, default=str) if isinstance(value, list | dict) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _remedy(error: ValidationError) -> str:
    for item in error.errors(include_url=False):
        if item["type"] == "extra_forbidden":
            import difflib

            wrong = str(item["loc"][-1])
            known = [*Description.model_fields, *Input.model_fields, *_decoder_keys()]
            near = difflib.get_close_matches(wrong, known, n=1)
            if near:
                return f"Did you mean {near[0]}?"
    return EXAMPLE_HINT


def _decoder_keys() -> list[str]:
    from countersign.models.onnx.decoders import KINDS

    return [key for kind in KINDS for key in kind.model_fields]
