"""What one request to a served model means: images decoded, the right capability asked, results for the wire.

Runs in the lane's thread. An image that cannot be read, or that the model cannot digest, costs its own result alone.
"""

from __future__ import annotations

import base64
import binascii
import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign import imaging
from countersign.domain.errors import CountersignError, ImageError, InvalidInput, ModelError
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import Prompt, Task
from countersign.models.contract import (
    Anything,
    Asker,
    Clicks,
    Embedder,
    Model,
    Pixels,
    PredictOptions,
    PromptSegmenter,
)
from countersign.models.remote import wire
from countersign.models.remote.contract import ImageData, Parameters, PredictAnswer, Result
from countersign.runs import catalogue, stages
from countersign.runs.predicting import BatchSize, explain, predict_all

_FETCHED_MB = 64.0


@dataclass(frozen=True, slots=True)
class Job:
    """One request: the name of the model, images (bytes of a file, or what says where one is), parameters."""

    name: str
    images: tuple[bytes | ImageData, ...]
    parameters: Parameters
    allow_local_urls: bool = False


def answer(model: Anything, job: Job) -> PredictAnswer:
    """Do a job. Raises InvalidInput, ModelError where the request as a whole cannot be done."""
    parameters = job.parameters
    for what, lists in (("boxes", parameters.boxes), ("objects", parameters.objects)):
        if lists is not None and len(lists) != len(job.images):
            raise InvalidInput(f"{what} holds {len(lists)} lists for {len(job.images)} images")
    work = _work(model, parameters)
    results = [Result() for _ in job.images]
    read: list[tuple[int, Pixels]] = []
    for i, image in enumerate(job.images):
        try:
            pixels = _read(image, job.allow_local_urls)
        except CountersignError as error:
            results[i] = Result(error=str(error))
        else:
            results[i] = Result(height=pixels.shape[0], width=pixels.shape[1])
            read.append((i, pixels))
    counts = work(read, results)
    if results:
        results[0].counts = counts
    return PredictAnswer(model=job.name, results=results)


Work = Callable[[Sequence[tuple[int, Pixels]], list[Result]], dict[str, int]]


def _work(model: Anything, parameters: Parameters) -> Work:
    """Choose what of the model is asked. Raises ModelError where it cannot do that."""
    if parameters.objects is not None:
        if not isinstance(model, PromptSegmenter):
            raise _unable(model, "cut out objects")
        return functools.partial(_objects, model, parameters)
    if parameters.boxes is not None:
        refiner = stages.refiner_of(model.card.name, model)
        given = parameters.boxes

        def refine(items: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
            boxes = [[Prediction(b.class_name, Box(*b.box), b.confidence, b.attributes) for b in given[i]]
                     for i, _ in items]  # fmt: skip
            return refiner.refine([pixels for _, pixels in items], boxes, options)

        return functools.partial(_labels, refine, parameters)
    if parameters.task is Task.EMBEDDING:
        if not isinstance(model, Embedder):
            raise _unable(model, "make vectors")
        return functools.partial(_vectors, model)
    if parameters.task is Task.QUESTIONS or parameters.question:
        if not isinstance(model, Asker):
            raise _unable(model, "answer questions")
        if not parameters.question.strip():
            raise InvalidInput("question is empty")
        return functools.partial(_answers, model, parameters)
    return _whole(model, parameters)


def _whole(model: Anything, parameters: Parameters) -> Work:
    if not isinstance(model, Model):
        raise _unable(model, "label whole images")
    if parameters.task is not None and parameters.task not in model.card.tasks:
        raise _unable(model, f"do {parameters.task.value.replace('_', ' ')}")
    catalogue.check_classes(model.card, tuple(parameters.classes), _prompts(parameters), parameters.settings)

    def label(items: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        return model.predict([pixels for _, pixels in items], options)

    return functools.partial(_labels, label, parameters)


def _unable(model: Anything, what: str) -> ModelError:
    does = ", ".join(task.value.replace("_", " ") for task in model.card.tasks)
    return ModelError(f"The model {model.card.name!r} cannot {what}", remedy=f"It does {does}.")


def _prompts(parameters: Parameters) -> tuple[Prompt, ...]:
    return tuple(Prompt(item.text, item.class_name) for item in parameters.prompts)


def _labels(
    predict: Callable[[Sequence[Any], PredictOptions], list[list[Prediction]]],
    parameters: Parameters,
    read: Sequence[tuple[int, Pixels]],
    results: list[Result],
) -> dict[str, int]:
    options = PredictOptions(
        tuple(parameters.classes), parameters.min_confidence, parameters.settings, parameters.task, _prompts(parameters)
    )
    found = predict_all(lambda items: predict(items, options), read, BatchSize(max(1, len(read))))
    for (i, _), items in zip(read, found, strict=True):
        if isinstance(items, str):
            results[i].error = items
        else:
            results[i].predictions = [wire.found(item) for item in items]
    return options.tally.counts()


def _objects(
    model: PromptSegmenter, parameters: Parameters, read: Sequence[tuple[int, Pixels]], results: list[Result]
) -> dict[str, int]:
    assert parameters.objects is not None
    for i, pixels in read:
        prompts = [
            Clicks(tuple(click.points), tuple(click.positive), Box(*click.box) if click.box else None)
            for click in parameters.objects[i]
        ]
        try:
            cut = model.segment(model.encode(pixels), prompts) if prompts else []
        except Exception as error:
            results[i].error = explain(error)
        else:
            results[i].objects = [wire.cut(item) for item in cut]
    return {}


def _vectors(model: Embedder, read: Sequence[tuple[int, Pixels]], results: list[Result]) -> dict[str, int]:
    if not read:
        return {}
    vectors = model.embed([pixels for _, pixels in read])
    for (i, _), vector in zip(read, vectors, strict=True):
        results[i].embedding = vector.tolist()
    return {}


def _answers(
    model: Asker, parameters: Parameters, read: Sequence[tuple[int, Pixels]], results: list[Result]
) -> dict[str, int]:
    pixels = [image for _, image in read]
    texts = model.ask(pixels, parameters.question, settings=parameters.settings) if pixels else []
    for (i, _), text in zip(read, texts, strict=True):
        results[i].text = text
    return {}


def _read(image: bytes | ImageData, allow_local_urls: bool) -> Pixels:
    if isinstance(image, bytes):
        data = image
    elif image.data is not None:
        try:
            data = base64.b64decode(image.data.rpartition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ImageError("image", "its data is no base64") from error
    else:
        data = fetch(str(image.url), allow_local=allow_local_urls)
    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        path = Path(folder) / "image"
        path.write_bytes(data)
        try:
            return imaging.read_rgb(path)
        except ImageError as error:
            raise ImageError("image", error.reason, remedy=error.remedy) from error


def fetch(url: str, *, allow_local: bool) -> bytes:
    """Fetch an image. Raises ModelError; addresses that are not public are refused unless ``allow_local``."""
    from countersign.models.remote.http import Http
    from countersign.models.remote.spec import from_data

    spec = from_data({"url": url, "retries": 1, "timeout_s": 30, "max_response_mb": _FETCHED_MB})
    http = Http(spec, public_only=not allow_local)
    try:
        return http.send("GET", url).body
    finally:
        http.close()
