"""Cards of the encoders of images and texts. Where numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile

_COMMON = ("config.json", "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json")
_BIG_VISION = "https://github.com/google-research/big_vision (README_siglip2; ImageNet zero-shot); parameters counted"


def _card(name: str, hub_id: str, description: str, files: tuple[str, ...], **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "dual_encoder",
        "tasks": (Task.CLASSIFICATION, Task.EMBEDDING),
        "classes": (),
        "zero_shot": True,
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "code_licence": "Apache-2.0",
        "files": tuple(WeightFile(file) for file in (*_COMMON, *files)),
        "size": "base",
        "description": description,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


CARDS: tuple[ModelCard, ...] = (
    _card(
        "clip-vit-b32",
        "openai/clip-vit-base-patch32",
        "Encodes images and texts into one space: classifies by the names of classes, and embeds.",
        ("tokenizer.json", "vocab.json", "merges.txt", "pytorch_model.bin"),  # it has no safetensors file
        author="OpenAI (Alec Radford and others)",
        licence="MIT",
        min_confidence=0.3,
        published={"parameters": 151.3},
        published_source="counted",
    ),
    _card(
        "siglip-base-patch16-224",
        "google/siglip-base-patch16-224",
        "CLIP with a loss that judges each pair by itself: sure of a class without the others.",
        ("tokenizer.json", "spiece.model", "model.safetensors"),
        author="Google DeepMind (Xiaohua Zhai and others)",
        licence="Apache-2.0",
        min_confidence=0.1,
        published={"parameters": 203.2},
        published_source="counted",
    ),
    _card(
        "siglip2-base-patch16-224",
        "google/siglip2-base-patch16-224",
        "SigLIP trained with captions and self-distillation as well; texts in many languages.",
        ("tokenizer.json", "model.safetensors"),
        author="Google DeepMind (Michael Tschannen and others)",
        licence="Apache-2.0",
        version="2",
        min_confidence=0.1,
        published={"parameters": 375.2, "imagenet_top1": 78.2},
        published_source=_BIG_VISION,
    ),
)
