"""Cards of the detectors that look for what a text says. Where numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile

_BERT = ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt",
         "special_tokens_map.json", "model.safetensors")  # fmt: skip
_CLIP = ("config.json", "preprocessor_config.json", "tokenizer_config.json", "vocab.json", "merges.txt",
         "special_tokens_map.json", "model.safetensors")  # fmt: skip


def _card(name: str, hub_id: str, description: str, needed: tuple[str, ...], **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "text_detector",
        "tasks": (Task.DETECTION,),
        "classes": (),
        "zero_shot": True,
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "licence": "Apache-2.0",
        "code_licence": "Apache-2.0",
        "files": tuple(WeightFile(file) for file in needed),
        "min_confidence": 0.3,
        "description": description,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


_GROUNDING = "https://github.com/IDEA-Research/GroundingDINO (README, checkpoints; COCO); parameters counted"
_MM_GROUNDING = (
    "https://github.com/open-mmlab/mmdetection (configs/mm_grounding_dino; COCO, LVIS minival); parameters counted"
)
_OMDET = "https://github.com/om-ai-lab/OmDet (README, model zoo; COCO, LVIS zero-shot); parameters counted"
_OWL_SAFETENSORS = (
    "https://huggingface.co/google/owlvit-base-patch16/resolve/"
    "10e84248055232dfc4786bfead6206c3128d95ad/model.safetensors"
)
_IDEA = "IDEA Research (Shilong Liu and others)"
_OPENMMLAB = "OpenMMLab (Xiangyu Zhao and others)"
_GOOGLE = "Google Research (Matthias Minderer and others)"

CARDS: tuple[ModelCard, ...] = (
    _card(
        "grounding-dino-tiny",
        "IDEA-Research/grounding-dino-tiny",
        "Finds what words or phrases describe; Swin-T backbone, never trained on COCO.",
        _BERT,
        author=_IDEA,
        size="tiny",
        published={"parameters": 172.3, "coco_map": 48.4, "lvis_map": 28.8},
        published_source=f"{_GROUNDING}; LVIS minival by mmdetection",
    ),
    _card(
        "grounding-dino-base",
        "IDEA-Research/grounding-dino-base",
        "Finds what words or phrases describe; Swin-B backbone, trained on more data, COCO among it.",
        _BERT,
        author=_IDEA,
        size="base",
        published={"parameters": 232.3, "coco_map": 56.7},
        published_source=_GROUNDING,
    ),
    _card(
        "mm-grounding-dino-tiny",
        "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_grit_v3det",
        "Grounding DINO trained anew with open code and more data; better at rare things.",
        _BERT,
        author=_OPENMMLAB,
        version="mm",
        size="tiny",
        published={"parameters": 172.3, "coco_map": 50.4, "lvis_map": 41.4},
        published_source=_MM_GROUNDING,
    ),
    _card(
        "mm-grounding-dino-base",
        "openmmlab-community/mm_grounding_dino_base_all",
        "MM Grounding DINO on a Swin-B backbone, trained on all of its data, COCO among it.",
        _BERT,
        author=_OPENMMLAB,
        version="mm",
        size="base",
        published={"parameters": 232.3},
        published_source="counted",
    ),
    _card(
        "mm-grounding-dino-large",
        "openmmlab-community/mm_grounding_dino_large_all",
        "MM Grounding DINO on a Swin-L backbone and five scales, trained on all of its data, COCO among it.",
        _BERT,
        author=_OPENMMLAB,
        version="mm",
        size="large",
        published={"parameters": 342.4},
        published_source="counted",
    ),
    _card(
        "omdet-turbo-swin-tiny",
        "omlab/omdet-turbo-swin-tiny-hf",
        "Finds objects by their names in real time; Swin-T backbone, texts are encoded apart from the image.",
        _CLIP,
        author="Om AI Lab (Tiancheng Zhao and others)",
        size="tiny",
        published={"parameters": 115.4, "coco_map": 42.5, "lvis_map": 30.3},
        published_source=_OMDET,
    ),
    _card(
        "owlvit-base-patch16",
        "google/owlvit-base-patch16",
        "Finds objects by short texts with a CLIP image encoder; quick to ask for many classes.",
        _CLIP,
        author=_GOOGLE,
        version="1",
        size="base",
        min_confidence=0.1,
        # Its main branch has a pickle alone; this revision of it adds the same numbers as safetensors.
        files=(*(WeightFile(file) for file in _CLIP[:-1]), WeightFile(_CLIP[-1], url=_OWL_SAFETENSORS)),
        published={"parameters": 152.8, "lvis_map": 20.8},
        published_source="https://github.com/google-research/scenic (owl_vit, checkpoints; LVIS); parameters counted",
    ),
    _card(
        "owlv2-base-patch16",
        "google/owlv2-base-patch16-ensemble",
        "OWL-ViT trained further on boxes that it found by itself in a billion images.",
        _CLIP,
        author=_GOOGLE,
        version="2",
        size="base",
        min_confidence=0.2,
        published={"parameters": 155.0},
        published_source="counted",
    ),
)
