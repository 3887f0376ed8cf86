"""OpenCLIP: encoders of images and texts that open_clip_torch opens (the extra ``open-clip``), its own file format.

Its architectures are named as there; ``open_clip:<architecture>?weights=<file>`` opens weights of one's own. The
tokenizer comes with the library for CLIP's architectures; those that would fetch one from the hub are refused.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError, NotFound
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models.contract import Pixels
from countersign.models.families.dual_encoder import DualEncoder, Towers
from countersign.models.folder import records, weights
from countersign.models.parts import hub_loading
from countersign.models.parts.batches import Prepared
from countersign.models.registry import Reference

_FILE = "open_clip_model.safetensors"


class _OpenClipTowers(Towers):
    """The towers of an OpenCLIP network."""

    def __init__(self, network: Any, transform: Any, tokenizer: Any, device: str) -> None:
        self._network, self._transform, self._tokenizer, self._device = network, transform, tokenizer, device
        bias = getattr(network, "logit_bias", None)
        self.compares = bias is None
        self.template = "a photo of a {}." if self.compares else "This is a photo of {}."
        self.scale = float(network.logit_scale.exp().item())
        self.bias = 0.0 if bias is None else float(bias.item())

    def prepare(self, image: Pixels) -> Prepared:
        from PIL import Image

        pixels = self._transform(Image.fromarray(image))
        return Prepared({"images": pixels[None]}, (image.shape[0], image.shape[1]))

    def images(self, inputs: dict[str, Any]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            return self._rows(self._network.encode_image(inputs["images"], normalize=True))

    def texts(self, words: Sequence[str]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            return self._rows(self._network.encode_text(self._tokenizer(list(words)).to(self._device), normalize=True))

    @staticmethod
    def _rows(vectors: Any) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = vectors.float().cpu().numpy()
        return rows


class OpenClipFamily:
    """Encoders of images and texts that open_clip_torch opens."""

    name = "open_clip"
    option_names = ("weights",)
    setting_names = ("top", "template")

    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    def names(self) -> Sequence[str]:
        return [str(card.details["architecture"]) for card in CARDS]

    def card(self, reference: Reference) -> ModelCard:
        if reference.card is not None:
            return reference.card
        known = next((card for card in CARDS if card.details["architecture"] == reference.name), None)
        if known is not None and not reference.options:
            return known
        return ModelCard(
            reference.name,
            self.name,
            (Task.CLASSIFICATION, Task.EMBEDDING),
            (),
            zero_shot=True,
            code_licence="MIT",
            extra="open-clip",
            details={"architecture": reference.name},
        )

    def load(self, reference: Reference, *, device: str | None) -> DualEncoder:
        card = self.card(reference)
        file = self._file(reference, card)
        open_clip = _library()
        architecture = str(card.details["architecture"])
        settings = open_clip.get_model_config(architecture)
        if settings is None:
            near = difflib.get_close_matches(architecture, open_clip.list_models(), n=3)
            raise NotFound("architecture of OpenCLIP", architecture, known=tuple(near))
        if "hf_tokenizer_name" in settings.get("text_cfg", {}) or "hf_model_name" in settings.get("text_cfg", {}):
            raise ModelError(
                f"{architecture} of OpenCLIP needs a tokenizer from the hub",
                remedy="Choose its version for transformers: the family dual_encoder opens SigLIP and SigLIP 2.",
            )
        place = hub_loading.choose_device(device)
        with hub_loading.library_errors(file), hub_loading.quiet():
            network, _, transform = open_clip.create_model_and_transforms(
                architecture, pretrained=str(file), device=place, weights_only=True
            )
            towers = _OpenClipTowers(network.eval(), transform, open_clip.get_tokenizer(architecture), place)
            width = int(towers.texts(["a"]).shape[1])
        return DualEncoder(towers, dataclasses.replace(card, weights_hash=records.sha256(file)), place, width)

    @staticmethod
    def _file(reference: Reference, card: ModelCard) -> Path:
        if own := reference.options.get("weights"):
            file = Path(own).expanduser()
            if not file.is_file() or file.suffix != ".safetensors":
                raise ModelError(f"the weights {file} are no .safetensors file", remedy="Check the path or convert it.")
            return file
        if not card.hub_id:
            raise ModelError(f"{reference.text!r} has no weights", remedy="Write ?weights= and a .safetensors file.")
        return weights.locate(card) / card.files[0].name


def _library() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise ModelError(
            "OpenCLIP is not installed", remedy="Install it with: pip install 'countersign[open-clip]'"
        ) from error
    return open_clip


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        "openclip-vit-b32-laion2b",
        "open_clip",
        (Task.CLASSIFICATION, Task.EMBEDDING),
        (),
        size="base",
        zero_shot=True,
        description="CLIP ViT-B/32 trained with open code on two billion public pairs of images and texts.",
        author="LAION",
        source="https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        hub_id="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        licence="MIT",
        code_licence="MIT",
        files=(WeightFile(_FILE),),
        extra="open-clip",
        published={"parameters": 151.3, "imagenet_top1": 66.56},
        published_source="https://github.com/mlfoundations/open_clip (docs/openclip_results.csv); parameters counted",
        details={"architecture": "ViT-B-32"},
    ),
    ModelCard(
        "openclip-vit-b16-datacomp",
        "open_clip",
        (Task.CLASSIFICATION, Task.EMBEDDING),
        (),
        size="base",
        zero_shot=True,
        description="CLIP ViT-B/16 trained on DataComp's filtered thirteen billion samples.",
        author="LAION and DataComp",
        source="https://huggingface.co/laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        hub_id="laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        licence="MIT",
        code_licence="MIT",
        files=(WeightFile(_FILE),),
        extra="open-clip",
        published={"parameters": 149.6, "imagenet_top1": 73.49},
        published_source="https://github.com/mlfoundations/open_clip (docs/openclip_results.csv); parameters counted",
        details={"architecture": "ViT-B-16"},
    ),
)

FAMILY = OpenClipFamily()
