"""Networks that propose masks and name each: Mask2Former, MaskFormer, EoMT. Instances, or classes of pixels.

What a checkpoint was trained for stands on its card; a folder of one's own can be asked for either task. A padded image
is one trap: the library's post-processing stretches the padding along with the image. Here images share a batch only
where their tensors are of equal shape, and masks are cut to the image before they are enlarged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import vocabularies
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.families.universal_segmenter_cards import CARDS
from countersign.models.parts import dense, hub_loading, results
from countersign.models.parts.batches import Prepared
from countersign.models.parts.dense import Frame
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubLabeller
from countersign.models.registry import Reference

_BOTH = (Task.INSTANCE_SEGMENTATION, Task.SEMANTIC_SEGMENTATION)


class UniversalSegmenter(HubLabeller):
    """Mask proposals with classes."""

    parallel = True

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._names = _names(loaded.config)

    def prepare(self, image: Pixels) -> Prepared:
        prepared = super().prepare(image)
        kept = {name: value for name, value in prepared.inputs.items() if name in ("pixel_values", "pixel_mask")}
        if "pixel_mask" not in kept:  # EoMT pads to a square and does not say how much
            kept["pixel_mask"] = _square_mask(self._processor, prepared)
        return Prepared(kept, prepared.size)

    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        semantic = (options.task or self._card.tasks[0]) is Task.SEMANTIC_SEGMENTATION
        choose = self._regions if semantic else self._instances
        outputs = self._network(pixel_values=inputs["pixel_values"])
        classes = outputs.class_queries_logits.float().softmax(dim=-1)[..., :-1]
        masks = outputs.masks_queries_logits.float()
        return [choose(classes[i], masks[i], _frame(item), options) for i, item in enumerate(members)]

    def _instances(self, classes: Any, masks: Any, frame: Frame, options: PredictOptions) -> list[Prediction]:
        """The most probable pairs of a proposal and a class; confidence: class times mean probability of the mask.

        As many pairs as there are proposals, as in the authors' evaluation of Mask2Former.
        """
        import torch

        scores, pairs = classes.flatten().topk(min(classes.shape[0], classes.numel()))
        proposals = torch.div(pairs, classes.shape[1], rounding_mode="floor")
        scores = scores * _quality(frame.crop(masks))[proposals]
        names = [self._names[i] if i < len(self._names) else "" for i in (pairs % classes.shape[1]).tolist()]
        which = proposals.tolist()

        def paint(index: int) -> NDArray[np.bool_]:
            painted: NDArray[np.bool_] = (frame.enlarge(masks[which[index]][None])[0] > 0).cpu().numpy()
            return painted

        return results.masks(frame.size, dense.Lazy(len(which), paint), scores.cpu().numpy(), names, options)

    def _regions(self, classes: Any, masks: Any, frame: Frame, options: PredictOptions) -> list[Prediction]:
        """One mask per class; the confidence is the mean share of the class among all that claim its pixels."""
        import torch

        maps = torch.einsum("qc,qhw->chw", classes, masks.sigmoid())
        found, shares = dense.winners(maps, frame, logits=False)
        return results.class_map(found, self._names, options, scores=shares)


def _quality(masks: Any) -> Any:
    """Return (Q,): the mean probability of each proposal (Q, h, w) within itself, 0 for an empty one."""
    inside = (masks > 0).float()
    return (masks.sigmoid() * inside).flatten(1).sum(dim=1) / (inside.flatten(1).sum(dim=1) + 1e-6)


def _frame(prepared: Prepared) -> Frame:
    mask = prepared.inputs["pixel_mask"][0]
    seen = (int(mask.shape[-2]), int(mask.shape[-1]))
    valid = (int(mask.any(dim=1).sum()), int(mask.any(dim=0).sum()))
    return Frame(prepared.size, seen, valid)


def _square_mask(processor: Any, prepared: Prepared) -> Any:
    """Return (1, H, W) of the input of a processor that keeps proportions and pads: 1 where the image is."""
    import torch

    height, width = prepared.inputs["pixel_values"].shape[-2:]
    mask = torch.ones((1, height, width), dtype=torch.int64)
    if getattr(processor, "do_pad", False):
        side, longest = processor.size["shortest_edge"], processor.size["longest_edge"]
        scale = min(side / min(prepared.size), longest / max(prepared.size))
        rows, columns = (max(1, round(edge * scale)) for edge in prepared.size)
        mask[:, min(rows, height) :], mask[:, :, min(columns, width) :] = 0, 0
    return mask


class UniversalSegmenterFamily(HubFamily):
    """Mask proposals with classes: Mask2Former, MaskFormer, EoMT."""

    name = "universal_segmenter"
    catalogue = CARDS
    architectures = frozenset(
        {"EomtForUniversalSegmentation", "Mask2FormerForUniversalSegmentation", "MaskFormerForInstanceSegmentation"}
    )
    setting_names = ("nms", "nms_across_classes", "max_detections")

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        classes = tuple(name for name in _names(config) if name)
        tasks = _BOTH[::-1] if "semantic" in f"{folder.name} {config.get('_name_or_path', '')}" else _BOTH
        base = ModelCard("", self.name, tasks, classes, min_confidence=0.5)
        return hub_loading.card_of(reference, base, folder, classes=classes)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> UniversalSegmenter:
        loaded = hub_loading.load(
            folder,
            "AutoModelForUniversalSegmentation",
            device=device,
            pickle=pickle,
            processor="AutoImageProcessor",
            may_miss=(r"^criterion\.",),
        )
        if getattr(loaded.processor, "do_split_image", False):
            raise ModelError(
                f"{folder} looks at an image in several pieces, which is not supported",
                remedy="Choose a version of the model for instances, or another model.",
            )
        return UniversalSegmenter(loaded, card)


def _names(config: Mapping[str, Any]) -> tuple[str, ...]:
    return vocabularies.as_coco(hub_loading.class_names(config))


FAMILY = UniversalSegmenterFamily()
