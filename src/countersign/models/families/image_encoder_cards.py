"""Cards of the encoders of images. Where numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile

_FILES = tuple(WeightFile(name) for name in ("config.json", "preprocessor_config.json", "model.safetensors"))
_DINOV2 = "https://github.com/facebookresearch/dinov2 (README, pretrained models; ImageNet k-NN)"


def _dinov2(size: str, letter: str, parameters: float, knn: float) -> ModelCard:
    return ModelCard(
        f"dinov2-{letter}",
        "image_encoder",
        (Task.EMBEDDING,),
        (),
        version="2",
        size=size,
        description="Vision transformer that learned from 142 million images without labels; embeds.",
        author="Meta AI (Maxime Oquab and others)",
        source=f"https://huggingface.co/facebook/dinov2-{size}",
        hub_id=f"facebook/dinov2-{size}",
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        files=_FILES,
        published={"parameters": parameters, "imagenet_knn": knn},
        published_source=_DINOV2,
    )


def _dinov3(size: str, letter: str, parameters: float) -> ModelCard:
    hub_id = f"facebook/dinov3-vit{letter}16-pretrain-lvd1689m"
    return ModelCard(
        f"dinov3-{letter}",
        "image_encoder",
        (Task.EMBEDDING,),
        (),
        version="3",
        size=size,
        description="Vision transformer that learned from 1.7 billion images without labels; embeds. Ask for access.",
        author="Meta AI (Oriane Siméoni and others)",
        source=f"https://huggingface.co/{hub_id}",
        hub_id=hub_id,
        licence="LicenseRef-DINOv3",
        code_licence="Apache-2.0",
        files=_FILES,
        published={"parameters": parameters},
        published_source="counted",
    )


CARDS: tuple[ModelCard, ...] = (
    _dinov2("small", "s", 21, 79.0),
    _dinov2("base", "b", 86, 82.1),
    _dinov2("large", "l", 300, 83.5),
    _dinov3("small", "s", 21.6),
    _dinov3("base", "b", 85.7),
)
