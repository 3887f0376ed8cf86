"""Florence-2: one small network for boxes, captions and texts, told by a task token what to do. It gives no confidence.

What it looks for is said by its mode: the option ``?mode=`` of a reference, or the setting ``mode`` of a run.

| mode | finds |
|---|---|
| ``words`` (the default) | boxes for each class or prompt, one question for each |
| ``phrases`` | boxes for all classes or prompts, named in one sentence: quicker, less exact |
| ``objects`` | boxes of objects, under names that the network chooses |
| ``regions`` | boxes of the class ``region``, each with a description in the attribute ``text`` |
| ``text`` | boxes of the class ``text``, with what is written there in ``text`` and its four corners in ``quad`` |

As an Asker it describes an image (in three lengths) or reads the text in it; it answers no other question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.parts import generating, hub_loading, results
from countersign.models.parts.found_boxes import Found, choose
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_model import HubModel
from countersign.models.parts.prompts import texts_of
from countersign.models.registry import Reference

WORDS, PHRASES, OBJECTS, REGIONS, TEXT = MODES = ("words", "phrases", "objects", "regions", "text")
_TOKENS = {
    WORDS: "<OPEN_VOCABULARY_DETECTION>",
    PHRASES: "<CAPTION_TO_PHRASE_GROUNDING>",
    OBJECTS: "<OD>",
    REGIONS: "<DENSE_REGION_CAPTION>",
    TEXT: "<OCR_WITH_REGION>",
}
_CLASSES = {REGIONS: ("region",), TEXT: ("text",)}
_ANSWERS = (  # words in a question, and the task that answers it; the first that fits
    (("text", "read", "written", "writing", "letters", "ocr"), "<OCR>"),
    (("long", "paragraph", "everything"), "<MORE_DETAILED_CAPTION>"),
    (("detail",), "<DETAILED_CAPTION>"),
    (("caption", "describe", "description", "what is shown", "what is this", "what do you see"), "<CAPTION>"),
)
_BEAMS = 3  # as in its authors' examples
_MOST = 1024


class Florence(HubModel):
    """A Model and an Asker."""

    def ask(self, images: Sequence[Pixels], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        task = task_of(question)
        said = self._write(images, task, settings or {}, 256)
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        return [str(self._read(text, task, size)).strip() for text, size in zip(said, sizes, strict=True)]

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        mode = str(options.settings.get("mode", self._card.details.get("mode", WORDS)))
        if mode not in MODES:
            raise ModelError(f"Florence-2 has no mode {mode!r}", remedy=f"Its modes: {', '.join(MODES)}.")
        found = [Found(image.shape[0], image.shape[1]) for image in images]
        if images:
            getattr(self, f"_find_{mode}")(images, found, options)
        return [choose(each, options) for each in found]

    def _find_words(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        texts = texts_of(options)
        for text, name in zip(texts.texts, texts.names, strict=True):
            for each, read in self._each(images, found, _TOKENS[WORDS], options, text):
                each.add_all(read["bboxes"], [name] * len(read["bboxes"]))
                outlines = [_around(polygon) for polygon in read["polygons"]]
                each.add_all(outlines, [name] * len(outlines))

    def _find_phrases(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        texts = texts_of(options)
        classes = {text.lower(): name for text, name in zip(texts.texts, texts.names, strict=True)}
        sentence = ". ".join(texts.texts) + "."
        for each, read in self._each(images, found, _TOKENS[PHRASES], options, sentence):
            for corners, phrase in zip(read["bboxes"], read["labels"], strict=True):
                name = _class_of(phrase, classes)
                if name is not None:
                    each.add_all([corners], [name])

    def _find_objects(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        for each, read in self._each(images, found, _TOKENS[OBJECTS], options):
            each.add_all(read["bboxes"], [name.strip() for name in read["labels"]])

    def _find_regions(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        for each, read in self._each(images, found, _TOKENS[REGIONS], options):
            told = [{"text": text.strip()} for text in read["labels"]]
            each.add_all(read["bboxes"], ["region"] * len(told), told)

    def _find_text(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        for each, read in self._each(images, found, _TOKENS[TEXT], options):
            quads = read["quad_boxes"]
            told = [
                {"text": _plain(text), "quad": list(quad)} for text, quad in zip(read["labels"], quads, strict=True)
            ]
            each.add_all([_around([quad]) for quad in quads], ["text"] * len(told), told)

    def _each(
        self, images: Sequence[Pixels], found: list[Found], task: str, options: PredictOptions, text: str = ""
    ) -> list[tuple[Found, Any]]:
        said = self._write(images, task + text, options.settings, _MOST)
        return [
            (each, self._read(written, task, (each.height, each.width)))
            for each, written in zip(found, said, strict=True)
        ]

    def _write(self, images: Sequence[Pixels], prompt: str, settings: Mapping[str, Any], most: int) -> list[str]:
        if not images:
            return []
        inputs = self._processor(
            images=generating.pictures(images), text=[prompt] * len(images), return_tensors="pt", padding=True
        )
        written = generating.generate(self._network, inputs, generating.limit(settings, most), beams=_BEAMS)
        said: list[str] = self._processor.batch_decode(written, skip_special_tokens=False)
        return said

    def _read(self, said: str, task: str, size: results.Size) -> Any:
        height, width = size
        return self._processor.post_process_generation(
            text=said.replace("<pad>", ""), task=task, image_size=(width, height)
        )[task]


def task_of(question: str) -> str:
    """Return the task token for a question. Raises ModelError where Florence-2 has none for it."""
    asked = question.strip()
    known = {token for _, token in _ANSWERS}
    if asked.upper() in known:
        return asked.upper()
    lower = asked.lower()
    for words, token in _ANSWERS:
        if any(word in lower for word in words):
            return token
    raise ModelError(
        f"Florence-2 answers no question such as {asked!r}: it describes an image or reads the text in it",
        remedy='Ask for a "caption", a "detailed caption", a "long caption" or the "text"; or choose another model.',
    )


def _class_of(phrase: str, classes: Mapping[str, str]) -> str | None:
    """Return the class of the prompt that a phrase repeats ("" for a negative one); the longest where several fit."""
    said = phrase.lower().strip(" .")
    if said in classes:
        return classes[said]
    fitting = [text for text in classes if text in said or (said and said in text)]
    return classes[max(fitting, key=len)] if fitting else None


def _around(polygons: Sequence[Sequence[float]]) -> list[float]:
    flat = [value for polygon in polygons for value in polygon]
    if len(flat) < 2:
        return [0.0, 0.0, 0.0, 0.0]
    return [min(flat[0::2]), min(flat[1::2]), max(flat[0::2]), max(flat[1::2])]


def _plain(text: str) -> str:
    return text.replace("</s>", "").replace("<s>", "").strip()


_TASKS = (Task.DETECTION, Task.QUESTIONS)


def _details(mode: str) -> dict[str, Any]:
    return {"mode": mode, "wordless": {"mode": [OBJECTS, REGIONS, TEXT]}}


def _card(size: str, parameters: float, description: str) -> ModelCard:
    hub_id = f"florence-community/Florence-2-{size}"
    return ModelCard(
        f"florence-2-{size}",
        "florence",
        _TASKS,
        (),
        version="2",
        size=size,
        zero_shot=True,
        description=description,
        author="Microsoft (Bin Xiao and others)",
        source=f"https://huggingface.co/{hub_id}",
        hub_id=hub_id,
        licence="MIT",
        code_licence="Apache-2.0",
        published={"parameters": parameters},
        published_source="counted",
        details=_details(WORDS),
    )


CARDS: tuple[ModelCard, ...] = (
    _card("base", 231.0, "Finds what words say, describes images and regions, reads texts; small enough for a CPU."),
    _card("large", 770.0, "Finds what words say, describes images and regions, reads texts; the larger of the two."),
)


class FlorenceFamily(HubFamily):
    """Florence-2: boxes for words, objects, described regions, texts; captions."""

    name = "florence"
    catalogue = CARDS
    architectures = ("Florence2ForConditionalGeneration",)
    option_names = ("mode",)
    setting_names = ("mode", "max_new_tokens", "nms", "nms_across_classes", "max_detections")

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        if config.get("auto_map"):
            raise ModelError(
                f"{folder} needs program code that comes with the checkpoint, which is never run",
                remedy="Use the same model from florence-community (countersign models pull florence-2-base).",
            )
        mode = reference.option("mode", MODES, WORDS)
        base = ModelCard("", self.name, _TASKS, ())
        told = mode in (WORDS, PHRASES)
        return hub_loading.card_of(
            reference, base, folder, zero_shot=told, classes=_CLASSES.get(mode, ()), details=_details(mode)
        )

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Florence:
        loaded = hub_loading.load(folder, "Florence2ForConditionalGeneration", device=device)
        if not getattr(loaded.processor, "post_processor_config", None):
            raise ModelError(
                f"{folder} does not say how the network's words are to be read (post_processor_config)",
                remedy="Fetch processor_config.json of florence-community/Florence-2-base into the folder.",
            )
        return Florence(loaded, card)


FAMILY = FlorenceFamily()
