"""Our own contract (``docs/reference/model-http.md``), as ``countersign serve-model`` speaks it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Clicks, PredictOptions, Segment
from countersign.models.remote import texts, wire
from countersign.models.remote.adapters import joined
from countersign.models.remote.contract import (
    CardList,
    Click,
    GivenBox,
    Parameters,
    PredictAnswer,
    PromptText,
    Result,
)
from countersign.models.remote.http import Http, fitting
from countersign.models.remote.pictures import Sent
from countersign.models.remote.reading import number, record
from countersign.models.remote.spec import RemoteSpec


class Own:
    """Asks another Countersign. Sends images as a form: a third less than base64."""

    batch = 16

    def __init__(self, spec: RemoteSpec, http: Http) -> None:
        self._spec, self._http = spec, http
        self._model = spec.model

    def card(self, name: str) -> ModelCard:
        url = joined(self._spec.url, "v1", "models", quote(self._name(), safe=""))
        data = self._http.get_json(url)
        with fitting(self._http, url, data):
            card = read_card(data)
        return presented(card, self._spec, name)

    def check(self) -> str:
        return f"serves {self._name()}"

    def _name(self) -> str:
        """The model's name at the server: the one that was given, or the only one that is there."""
        if not self._model:
            url = joined(self._spec.url, "v1", "models")
            data = self._http.get_json(url)
            with fitting(self._http, url, data):
                names = [texts.class_name(card["name"]) for card in CardList.model_validate(data).models]
            if len(names) != 1:
                raise ModelError(
                    f"{self._http.name(self._spec.url)} serves {len(names)} models: {', '.join(names[:12])}",
                    remedy="Name one of them.",
                )
            self._model = names[0]
        return self._model

    def predict(self, images: Sequence[Sent], options: PredictOptions) -> list[list[Prediction]]:
        return self._labelled(images, self._parameters(options), options)

    def refine(
        self, images: Sequence[Sent], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        boxes = [[_given(item) for item in items if item.geometry is not None] for items in found]
        return self._labelled(images, self._parameters(options).model_copy(update={"boxes": boxes}), options)

    def segment(self, image: Sent, prompts: Sequence[Clicks]) -> list[Segment]:
        objects = [
            Click(
                points=list(prompt.points),
                positive=list(prompt.positive),
                box=list(prompt.box.bounds) if prompt.box else None,
            )
            for prompt in prompts
        ]
        url, (result,) = self._ask([image], Parameters(objects=[objects], settings=self._spec.settings))
        told = result.model_dump(mode="json")
        with fitting(self._http, url, told):
            if result.objects is None or len(result.objects) != len(prompts):
                raise ValueError(f"{len(prompts)} objects were asked for")
            return [wire.segment(item, image.sent) for item in result.objects]

    def embed(self, images: Sequence[Sent]) -> list[list[float]]:
        parameters = Parameters(task=Task.EMBEDDING, settings=self._spec.settings)
        url, results = self._ask(images, parameters)
        vectors = [result.embedding or [] for result in results]
        with fitting(self._http, url, [vector[:3] for vector in vectors]):
            for vector in vectors:
                longest = max((abs(number(value)) for value in vector), default=0.0)
                if len(vector) != len(vectors[0]) or longest < 1e-9:
                    raise ValueError("a vector is missing, of another length, or without a direction")
        return vectors

    def ask(self, images: Sequence[Sent], question: str, settings: Mapping[str, Any]) -> list[str]:
        merged = {**self._spec.settings, **settings}
        url, results = self._ask(images, Parameters(task=Task.QUESTIONS, question=question, settings=merged))
        answers = [result.text for result in results]
        with fitting(self._http, url, answers):
            return [texts.answer(said) for said in answers]

    def _parameters(self, options: PredictOptions) -> Parameters:
        return Parameters(
            task=options.task,
            classes=[] if self._spec.rename else list(options.classes),
            prompts=[PromptText(text=item.text, class_name=item.class_name) for item in options.prompts],
            min_confidence=options.min_confidence,
            settings={**self._spec.settings, **options.settings},
        )

    def _labelled(
        self, images: Sequence[Sent], parameters: Parameters, options: PredictOptions
    ) -> list[list[Prediction]]:
        url, results = self._ask(images, parameters)
        made = []
        for result, image in zip(results, images, strict=True):
            told = [item.model_dump(mode="json", exclude_none=True) for item in result.predictions[:3]]
            with fitting(self._http, url, told):
                made.append(self._read(result, image, options))
        for what, count in (results[0].counts if results else {}).items():
            options.tally.add(what, count)
        return made

    def _read(self, result: Result, image: Sent, options: PredictOptions) -> list[Prediction]:
        made = []
        for item in result.predictions:
            name = self._spec.rename.get(item.class_name, item.class_name)
            if not name or (options.classes and name not in options.classes):
                continue
            found = wire.prediction(item, image.sent, options)
            if found is not None:
                made.append(dataclasses.replace(found, class_name=name))
        return made

    def _ask(self, images: Sequence[Sent], parameters: Parameters) -> tuple[str, list[Result]]:
        url = joined(self._spec.url, "v1", "models", quote(self._name(), safe=""), "predict")
        files: list[tuple[str, Any]] = [("image", (f"{i}", item.data, item.media)) for i, item in enumerate(images)]
        text = parameters.model_dump_json(exclude_none=True)
        data = self._http.json_of(self._http.send("POST", url, files=files, data={"parameters": text}), url)
        try:
            results = PredictAnswer.model_validate(data).results
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise self._http.misfit(url, f"{where}: {first['msg']}", data) from error
        if len(results) != len(images):
            raise self._http.misfit(url, f"{len(results)} results for {len(images)} images", data)
        for result in results:
            if result.error:
                raise ModelError(f"{self._http.name(url)}: {self._http.quote(result.error)}")
        return url, results


def _given(item: Prediction) -> GivenBox:
    assert item.geometry is not None
    box = list(item.geometry.bounds)
    return GivenBox(class_name=item.class_name, box=box, confidence=item.confidence,
                    attributes=json.loads(json.dumps(dict(item.attributes), default=str)))  # fmt: skip


def read_card(data: Any) -> ModelCard:
    """Make a card of what a server tells. Raises ValueError, TypeError."""
    told = texts.values(record(data, "the card"))
    try:
        card = ModelCard.from_data(told)
    except ModelError as error:
        raise ValueError(str(error)) from error
    # Each part of the type that it should have: as JSON, where lists are what tuples are here.
    TypeAdapter(ModelCard).validate_json(json.dumps(card.to_data()), strict=True)
    if not card.tasks or not 0.0 <= card.min_confidence <= 1.0:
        raise ValueError("a card has a task, and a min_confidence between 0 and 1")
    for name in card.classes:
        texts.class_name(name)
    return card


def presented(card: ModelCard, spec: RemoteSpec, name: str) -> ModelCard:
    """Return the card of a served model as it stands here: its name here, renamed classes, what its user said of it."""
    renamed = tuple(dict.fromkeys(filter(None, (spec.rename.get(item, item) for item in card.classes))))
    details = {**card.details, "contract": spec.contract, "served_family": card.family, "served_name": card.name}
    return dataclasses.replace(
        card,
        name=name,
        family="remote",
        classes=renamed,
        tasks=tuple(spec.tasks) or card.tasks,
        description=spec.description or card.description,
        files=(),
        hub_id="",
        extra="",
        details=details,
    )


ADAPTER = Own
