"""Cards of the models that talk about images. Where the numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task


def _card(name: str, hub_id: str, description: str, **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "chat",
        "tasks": (Task.QUESTIONS,),
        "classes": (),
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "licence": "Apache-2.0",
        "code_licence": "Apache-2.0",
        "description": description,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


def _smol(size: str, hub_id: str, parameters: float, description: str, gpu: bool = False) -> ModelCard:
    return _card(
        f"smolvlm2-{size}",
        hub_id,
        description,
        author="Hugging Face",
        version="2",
        size=size,
        extra="smolvlm",
        gpu=gpu,
        published={"parameters": parameters},
        published_source=f"https://huggingface.co/{hub_id} (by its name)",
    )


def _qwen(version: str, size: str, licence: str, description: str) -> ModelCard:
    hub_id = f"Qwen/Qwen{version}-VL-{size.upper()}-Instruct"
    return _card(
        f"qwen{version}-vl-{size}",
        hub_id,
        description,
        author="Qwen team, Alibaba Cloud",
        version=version,
        size=size,
        licence=licence,
        gpu=True,
        published={"parameters": float(size[:-1]) * 1000},
        published_source=f"https://huggingface.co/{hub_id} (by its name)",
    )


_RESEARCH = "LicenseRef-Qwen-Research"

CARDS: tuple[ModelCard, ...] = (
    _smol(
        "256m",
        "HuggingFaceTB/SmolVLM2-256M-Video-Instruct",
        256,
        "Answers simple questions about an image; the smallest of its kind, runs on a CPU.",
    ),
    _smol(
        "500m",
        "HuggingFaceTB/SmolVLM2-500M-Video-Instruct",
        500,
        "Answers questions about an image and reads short texts in it; small enough for a CPU.",
    ),
    _smol(
        "2.2b",
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
        2200,
        "Answers questions about an image and reads texts in it; the largest SmolVLM2.",
        gpu=True,
    ),
    _qwen("2.5", "3b", _RESEARCH, "Answers questions about an image and reads texts in it; for research only."),
    _qwen("2.5", "7b", "Apache-2.0", "Answers questions about an image, reads texts and tables in it."),
    _qwen(
        "3", "2b", "Apache-2.0", "Answers questions about an image and reads texts in 32 languages; the smallest Qwen3."
    ),
    _qwen("3", "4b", "Apache-2.0", "Answers questions about an image and reads texts in 32 languages."),
    _qwen("3", "8b", "Apache-2.0", "Answers difficult questions about an image and reads texts in 32 languages."),
)
