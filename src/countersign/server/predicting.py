"""The process behind ``worker.Predictor``: ``python -m countersign.server.predicting``. Imports torch, serves nothing.

Standard input: one line with the workspace, then one JSON line per request. Standard output: one line when it is ready,
then one JSON line per request. Whatever else libraries print goes to standard error.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from countersign import imaging
from countersign.domain import label_map
from countersign.domain.errors import CountersignError, ModelError
from countersign.domain.geometry import Box
from countersign.domain.model import Prompt, Task
from countersign.models import registry
from countersign.models.contract import Anything, Model, PredictOptions, ReadsFiles
from countersign.models.parts import acceleration
from countersign.runs import asking, catalogue, segmenting
from countersign.runs.predicting import explain
from countersign.runs.segmenting import Cutter
from countersign.server import wire
from countersign.store import Store
from countersign.workbench.as_json import geometry

_KEPT = 2  # models in memory


class Server:
    """Answers requests, one at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._models: OrderedDict[tuple[str, str], Anything] = OrderedDict()
        self._cutters: dict[int, Cutter] = {}  # by the id of their model, which they keep alive

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked; an error becomes an answer too."""
        try:
            return _DO[request["do"]](self, request)
        except CountersignError as error:
            state = {name: value for name, value in error.__dict__.items() if _is_plain(value)}
            return {"error": {"kind": type(error).__name__, "state": state}}
        except Exception as error:
            traceback.print_exc()
            what = f"The model failed: {explain(error)}"
            return {"error": {"kind": "ModelError", "state": {"what": what, "remedy": "The log has the details."}}}

    def _card(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"card": catalogue.card(self._store, request["model"]).to_data()}

    def _names(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"names": list(registry.family(request["family"]).names())}

    def _predict(self, request: dict[str, Any]) -> dict[str, Any]:
        model = self._load(request["model"])
        if not isinstance(model, Model):
            raise ModelError(f"{request['model']!r} does not label images by itself", remedy="Choose another model.")
        classes = tuple(request["classes"])
        prompts = tuple(Prompt(*prompt) for prompt in request["prompts"])
        catalogue.check_classes(model.card, classes, prompts, request["settings"])
        pixels = model.read(request["path"]) if isinstance(model, ReadsFiles) else imaging.read_rgb(request["path"])
        task = Task(request["task"]) if request["task"] else None
        options = PredictOptions(classes, request["min_confidence"], request["settings"], task, prompts)
        found = label_map.rename(model.predict([pixels], options)[0], request["label_map"])
        found.sort(key=lambda item: -1.0 if item.confidence is None else -item.confidence)
        return {
            "predictions": [wire.prediction(item) for item in found],
            "model": _by(request, model) | {"min_confidence": request["min_confidence"]},
        }

    def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        model = asking.as_asker(self._load(request["model"]), request["model"])
        said = asking.ask(model, request["paths"], request["question"], request["settings"])
        return {"answers": [dataclasses.asdict(item) for item in said], "model": _by(request, model)}

    def _segment(self, request: dict[str, Any]) -> dict[str, Any]:
        cutter = self._cutter(request["model"])
        path = request["path"]
        key, by = (path, request["hash"]), _by(request, cutter.model)
        if request["points"] is None:  # only look: what is clicked next is answered quickly
            return {"looked": cutter.look(key, lambda: segmenting.read(cutter.model, path)), "model": by}
        box = Box(*request["box"]) if request["box"] else None
        asked = segmenting.clicks(request["points"], box, *request["size"])
        cut = cutter.cut(key, lambda: segmenting.read(cutter.model, path), asked)
        mask = geometry(cut.mask)
        return {"mask": mask, "confidence": cut.confidence, "looked": cut.looked, "model": by}

    def _cutter(self, reference: str) -> Cutter:
        model = self._load(reference)
        if id(model) not in self._cutters:
            self._cutters[id(model)] = Cutter(segmenting.as_segmenter(model, reference))
        return self._cutters[id(model)]

    def _load(self, reference: str) -> Anything:
        # A model that was deleted, or replaced by another of its name, is not answered from memory.
        found = catalogue.parse(self._store, reference)
        where = found.path if found.spec is None else orjson.dumps(found.spec, option=orjson.OPT_SORT_KEYS)
        key = (reference, str(where))
        if key in self._models:
            self._models.move_to_end(key)
        else:
            with acceleration.without_measuring():  # somebody waits for the answer
                self._models[key] = catalogue.open_any(self._store, reference)
            while len(self._models) > _KEPT:
                self._cutters.pop(id(self._models.popitem(last=False)[1]), None)
        return self._models[key]


_DO = {
    "card": Server._card, "names": Server._names, "predict": Server._predict, "ask": Server._asked,
    "segment": Server._segment,
}  # fmt: skip


def _by(request: dict[str, Any], model: Anything) -> dict[str, Any]:
    return {"model": request["model"], "version": model.card.version, "weights_hash": model.card.weights_hash}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool | list | tuple | dict | None)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more requests: the server that asked is gone then."""
    orders = orjson.loads(requests.readline())
    with Store.open(orders["workspace"], blobs=Path(orders["blobs"]), create=False) as store:
        server = Server(store)
        answers.write(b"{}\n")
        answers.flush()
        while line := requests.readline():
            answers.write(orjson.dumps(server.answer(orjson.loads(line)), option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
            answers.flush()


def main() -> int:
    """Keep standard output for answers alone, and serve."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        return 0
    except ModelError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
