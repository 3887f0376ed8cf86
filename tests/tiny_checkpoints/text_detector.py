"""Grounding DINO, MM Grounding DINO, OmDet-Turbo, OWL-ViT and OWLv2 in small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers

_KINDS = ("mm-grounding-dino-large", "mm-grounding-dino", "grounding-dino", "omdet-turbo", "owlvit", "owlv2")
_CLIP_TEXT = {
    "vocab_size": 514, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513,
}  # fmt: skip


def key(card: ModelCard) -> str:
    return next(kind for kind in _KINDS if card.name.startswith(kind))


def build(card: ModelCard, folder: Path) -> None:
    kind = key(card)
    {"omdet-turbo": _omdet, "owlvit": _owl, "owlv2": _owl}.get(kind, _grounding)(kind, folder)


def _swin(**changes: Any) -> Any:
    import transformers

    return transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 2], window_size=4, **changes
    )


def _grounding(kind: str, folder: Path) -> None:
    import transformers as T

    tokenizer = _tokenizers.bert()
    text = T.BertConfig(
        vocab_size=1200, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    settings = {
        "backbone_config": _swin(out_indices=[2, 3, 4]), "text_config": text, "num_queries": 20, "d_model": 64,
        "encoder_layers": 1, "encoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_layers": 2,
        "decoder_ffn_dim": 32, "decoder_attention_heads": 2, "disable_custom_kernels": True,
    }  # fmt: skip
    image = T.GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    processor = T.GroundingDinoProcessor(image, tokenizer)
    if kind == "grounding-dino":
        _seeded.save(lambda: T.GroundingDinoForObjectDetection(T.GroundingDinoConfig(**settings)), folder, processor)
    else:
        if kind.endswith("large"):  # a scale more
            settings |= {"backbone_config": _swin(out_indices=[1, 2, 3, 4]), "num_feature_levels": 5}
        config = T.MMGroundingDinoConfig(**settings)
        _seeded.save(lambda: T.MMGroundingDinoForObjectDetection(config), folder, processor)


def _omdet(kind: str, folder: Path) -> None:
    import transformers as T

    config = T.OmDetTurboConfig(
        backbone_config=_swin(out_indices=[2, 3, 4]), apply_layernorm_after_vision_backbone=False,
        text_config=T.CLIPTextConfig(**(_CLIP_TEXT | {"projection_dim": 32})), image_size=64, num_queries=20,
        text_projection_in_dim=32, text_projection_out_dim=32, class_embed_dim=32, task_encoder_hidden_dim=32,
        encoder_hidden_dim=48, encoder_in_channels=[32, 64, 128], vision_features_channels=[48, 48, 48],
        encoder_attention_heads=2, encoder_dim_feedforward=32, decoder_hidden_dim=48, decoder_num_heads=2,
        decoder_num_layers=2, decoder_dim_feedforward=32, disable_custom_kernels=True,
    )  # fmt: skip
    image = T.DetrImageProcessor(size={"height": 64, "width": 64}, do_pad=False)
    processor = T.OmDetTurboProcessor(image, _tokenizers.clip())
    _seeded.save(lambda: T.OmDetTurboForObjectDetection(config), folder, processor)


def _owl(kind: str, folder: Path) -> None:
    import transformers as T

    text = _CLIP_TEXT | {"max_position_embeddings": 16}
    vision = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64,
        "patch_size": 16,
    }  # fmt: skip
    settings: dict[str, Any] = {"text_config": text, "vision_config": vision, "projection_dim": 32}
    size = {"height": 64, "width": 64}
    tokenizer = _tokenizers.clip(16)
    if kind == "owlvit":
        processor = T.OwlViTProcessor(T.OwlViTImageProcessor(size=size, crop_size=size), tokenizer)
        _seeded.save(lambda: T.OwlViTForObjectDetection(T.OwlViTConfig(**settings)), folder, processor, spread=0.2)
    else:
        processor = T.Owlv2Processor(T.Owlv2ImageProcessor(size=size), tokenizer)
        _seeded.save(lambda: T.Owlv2ForObjectDetection(T.Owlv2Config(**settings)), folder, processor, spread=0.2)
