"""SmolVLM2, Qwen2.5-VL and Qwen3-VL in small. They write nonsense, of the image that they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers


def key(card: ModelCard) -> str:
    return "smolvlm2" if card.name.startswith("smol") else card.name.split("-")[0]


def build(card: ModelCard, folder: Path) -> None:
    {"smolvlm2": _smol, "qwen2.5": _qwen25, "qwen3": _qwen3}[key(card)](folder)


def _smol(folder: Path) -> None:
    import transformers as T

    rows = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    tokenizer = _tokenizers.gpt2(
        "<image>", "<video>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>", *rows
    )
    image = T.SmolVLMImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    video = T.SmolVLMVideoProcessor(size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, num_frames=2, fps=1)
    processor = T.SmolVLMProcessor(
        image, tokenizer, video, image_seq_len=4, chat_template=_tokenizers.chat_template("<image>")
    )
    text = _language(tokenizer) | {"model_type": "llama", "pad_token_id": 256}
    vision = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32,
        "patch_size": 8,
    }  # fmt: skip

    def make() -> Any:
        config = T.SmolVLMConfig(
            text_config=text, vision_config=vision, scale_factor=2,
            image_token_id=tokenizer.convert_tokens_to_ids("<image>"), pad_token_id=256,
        )  # fmt: skip
        return _ending(T.SmolVLMForConditionalGeneration(config))

    _seeded.save(make, folder, processor, spread=0.3)


def _language(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 4096, "bos_token_id": 256,
        "eos_token_id": 256,
    }  # fmt: skip


def _ending(network: Any) -> Any:
    network.generation_config.eos_token_id = 256
    return network


def _sight() -> tuple[Any, Any]:
    import transformers as T

    size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 6}
    return T.Qwen2VLImageProcessor(size=size), T.Qwen2VLVideoProcessor(size=size)


_MARKS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def _marks(tokenizer: Any) -> dict[str, int]:
    ids = tokenizer.convert_tokens_to_ids
    return {
        "vision_start_token_id": ids(_MARKS[0]), "vision_end_token_id": ids(_MARKS[1]),
        "image_token_id": ids(_MARKS[2]), "video_token_id": ids(_MARKS[3]),
    }  # fmt: skip


def _rope() -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


_TEMPLATE = _tokenizers.chat_template("<|vision_start|><|image_pad|><|vision_end|>")


def _qwen25(folder: Path) -> None:
    import transformers as T

    tokenizer = _tokenizers.qwen(*_MARKS)
    image, video = _sight()
    processor = T.Qwen2_5_VLProcessor(image, tokenizer, video, chat_template=_TEMPLATE)
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32,
        "fullatt_block_indexes": [1], "window_size": 56,
    }  # fmt: skip
    text = _language(tokenizer) | {"rope_parameters": _rope()}

    def make() -> Any:
        config = T.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
        return _ending(T.Qwen2_5_VLForConditionalGeneration(config))

    _seeded.save(make, folder, processor, spread=0.3)


def _qwen3(folder: Path) -> None:
    import transformers as T

    tokenizer = _tokenizers.qwen(*_MARKS)
    size = {"shortest_edge": 32 * 32, "longest_edge": 32 * 32 * 6}
    image = T.Qwen2VLImageProcessor(size=size, patch_size=16)
    processor = T.Qwen3VLProcessor(image, tokenizer, T.Qwen3VLVideoProcessor(), chat_template=_TEMPLATE)
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32,
        "num_position_embeddings": 64, "deepstack_visual_indexes": [0],
    }  # fmt: skip
    text = _language(tokenizer) | {"head_dim": 16, "rope_parameters": _rope()}

    def make() -> Any:
        config = T.Qwen3VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
        return _ending(T.Qwen3VLForConditionalGeneration(config))

    _seeded.save(make, folder, processor, spread=0.3)
