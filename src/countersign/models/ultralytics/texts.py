"""What turns words into the features that YOLO-World and YOLOE look for: encoders that are on this machine, or none.

YOLO-World was trained with CLIP ViT-B/32, which is in the catalogue and is fetched with it. YOLOE was trained with
MobileCLIP: a file of Ultralytics in TorchScript, read in the worker; its words are cut up as CLIP's are. Both are
fetched with it, and lie beside its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.models import catalogue, registry
from countersign.models.folder import weights
from countersign.models.parts import hub_loading
from countersign.models.ultralytics.cards import TEXT_ENCODER, WORDS

CLIP = "clip-vit-b32"
WIDTH = 512
_LENGTH = 77

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def clip_encoder(model: str) -> Encode:
    """Return what makes (N, 512) rows of length 1 of words. Raises ModelError where CLIP was not fetched."""
    from countersign.models.families.dual_encoder import DualEncoder

    _require(model)
    opened = registry.open_any(CLIP, device="cpu")
    if not isinstance(opened, DualEncoder):
        raise ModelError(
            f"{CLIP} is no encoder of texts any more", remedy=f"Remove the model of your own called {CLIP}."
        )
    return opened.encode_texts


def _require(model: str) -> None:
    card = catalogue.find(CLIP)
    if card is None or weights.find(card) is None:
        raise ModelError(
            f"{model} reads its classes with the text encoder of {CLIP}, which is not on this machine",
            remedy=f"Fetch it with: countersign models pull {CLIP}",
        )


def tokens(model: str, words: Sequence[str], folder: Path) -> NDArray[np.int64]:
    """Return (N, 77): the words as CLIP's tokenizer cuts them up, 0 behind their end.

    ``folder`` is where the model is. Its vocabulary lies there, or with CLIP itself. Raises ModelError.
    """
    import transformers

    if not all((folder / name).is_file() for name in WORDS):
        _require(model)
        card = catalogue.find(CLIP)
        assert card is not None
        folder = weights.locate(card)
    with hub_loading.library_errors(folder), hub_loading.quiet():
        tokenizer = transformers.CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    made = np.zeros((len(words), _LENGTH), np.int64)
    for row, found in zip(made, tokenizer(list(words), truncation=True, max_length=_LENGTH)["input_ids"], strict=True):
        row[: len(found)] = found
    return made


def mobile_clip(model: str, folder: Path) -> Path:
    """Return the file of MobileCLIP's text encoder: beside the model or in the models folder. Raises ModelError."""
    for place in (folder / TEXT_ENCODER, weights.folder() / TEXT_ENCODER):
        if place.is_file():
            return place
    raise ModelError(
        f"{model} reads its classes with the text encoder MobileCLIP, which is not on this machine",
        remedy=f"Fetch yoloe-11s-seg, which it comes with; or put {TEXT_ENCODER}, from "
        f"https://github.com/ultralytics/assets/releases, beside the model or into {weights.folder()}; or write "
        f"{model}?embeddings= and a file that the library saved with save_prompt_embeddings.",
    )


def check_width(model: str, rows: NDArray[Any]) -> None:
    """Raise ModelError where an encoder gives other features than the model was trained with."""
    if rows.ndim != 2 or rows.shape[1] != WIDTH:
        raise ModelError(f"{model} needs text features of {WIDTH} numbers; {CLIP} gives {rows.shape[-1]}",
                         remedy=f"Fetch it again: countersign models pull {CLIP} --again")  # fmt: skip
