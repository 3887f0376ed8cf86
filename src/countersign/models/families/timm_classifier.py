"""Any image classifier of timm, by its name there: ``timm:resnet18``.

Options: ``weights`` is ``pretrained`` (default: those of the hub, fetched before into the models folder or the hub's
own cache: loading never downloads), ``random`` (for measuring: it knows nothing) or the path of a safetensors file;
``classes`` is a file of class names, one a line (default: the names that the weights were trained on); ``seed`` fixes
random weights. ``engine`` is ``auto`` (default, but for random weights), ``torch``, ``onnx`` or ``openvino``: see
``acceleration``. The weights' licence stands in the card. A folder as timm saves it for the hub (``config.json`` with
its ``architecture``, and safetensors) is opened by its path, with the names that it says.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError, NotFound
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models.contract import Pixels, PredictOptions, SplitModel
from countersign.models.folder import licences
from countersign.models.folder import weights as weights_folder
from countersign.models.parts import acceleration, hub_loading
from countersign.models.registry import Reference

_FILES = (WeightFile("model.safetensors"), WeightFile("config.json"))
_RANDOM, _PRETRAINED = "random", "pretrained"


class TimmClassifier(SplitModel):
    """A timm network as a SplitModel: one label of the whole image, its most probable class.

    ``settings["top"]`` asks for that many classes instead of one. Prepared: (3, height, width) float32, normalised.
    Its network does not change when it predicts, so several threads may predict at once.
    """

    parallel = True

    def __init__(self, network: Any, card: ModelCard, config: dict[str, Any], device: str, engine: str) -> None:
        self._card = card
        self._device = device
        self._size: tuple[int, int] = config["input_size"][1:]
        self._crop = float(config["crop_pct"])
        self._scale = (1.0 / (255.0 * np.asarray(config["std"], np.float32))).astype(np.float32)
        self._shift = (-np.asarray(config["mean"], np.float32) / np.asarray(config["std"], np.float32)).astype(
            np.float32
        )
        grey = self.prepare(np.full((*self._size, 3), 100, np.uint8))
        self._run, choice = acceleration.accelerate(
            network, grey, weights_hash=card.weights_hash, device=device, engine=engine, name=card.name
        )
        self._card = dataclasses.replace(card, details={**card.details, **choice.details()})

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._device

    def prepare(self, image: Pixels) -> NDArray[np.float32]:
        """Resize so that the shorter side fills the crop, cut the middle, normalise."""
        import cv2

        height, width = self._size
        source_height, source_width = image.shape[:2]
        scale = max(height / source_height, width / source_width) / self._crop
        # What lies outside the crop is cut off before resizing: the same picture, fewer pixels to touch.
        cut_height = min(source_height, max(1, round(height / scale)))
        cut_width = min(source_width, max(1, round(width / scale)))
        top, left = (source_height - cut_height) // 2, (source_width - cut_width) // 2
        cut = image[top : top + cut_height, left : left + cut_width]
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(cut, (width, height), interpolation=way)
        pixels: NDArray[np.float32] = np.multiply(resized, self._scale, dtype=np.float32)
        pixels += self._shift
        return pixels.transpose(2, 0, 1)  # channels last in memory, which is how convolutions like it

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        if not prepared:
            return []
        batch = np.stack([pixels.transpose(1, 2, 0) for pixels in prepared]).transpose(0, 3, 1, 2)
        logits = self._run(batch)[0].astype(np.float32)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = raised / raised.sum(axis=1, keepdims=True)
        return [self._choose(row, options) for row in scores]

    def _choose(self, scores: NDArray[np.float32], options: PredictOptions) -> list[Prediction]:
        top = max(1, int(options.settings.get("top", 1)))
        allowed = set(options.classes)
        order = np.argsort(-scores) if allowed else np.argsort(-scores)[:top]
        found: list[Prediction] = []
        for index in order:
            name = self._card.classes[index]
            score = min(1.0, float(scores[index]))
            if score < options.min_confidence or len(found) == top:
                break
            if not allowed or name in allowed:
                found.append(Prediction(name, None, score))
        return found


def _weights_hash(network: Any) -> str:
    """SHA-256 over names and values of all weights, in the order of the network."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _class_names(config: dict[str, Any], options: Any, count: int) -> tuple[str, ...]:
    if "classes" in options:
        file = Path(options["classes"]).expanduser()
        try:
            names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except OSError as error:
            raise ModelError(f"the class names in {file} cannot be read: {error.strerror}") from error
        return tuple(names)
    names = list(config.get("label_names") or [])
    if len(names) != count:
        try:
            from timm.data import ImageNetInfo, infer_imagenet_subset

            subset = infer_imagenet_subset(config.get("architecture", "")) or {1000: "imagenet-1k"}.get(count)
            info = ImageNetInfo(subset) if subset else None
            names = [info.index_to_description(i) for i in range(count)] if info else []
        except (ImportError, AssertionError, ValueError, KeyError):
            names = []
    if len(names) != count:
        return tuple(f"class {index}" for index in range(count))
    # ImageNet has two cranes and two maillots: a class is found by its name, so the second is told apart.
    seen: dict[str, int] = {}
    unique = []
    for name in (str(name).strip() for name in names):
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(unique)


def _unknown(name: str) -> NotFound:
    import difflib

    import timm

    near = difflib.get_close_matches(name, timm.list_models(), n=3)
    hint = f"Did you mean {' or '.join(f'timm:{found}' for found in near)}?" if near else "See timm.list_models()."
    return NotFound("timm model", name, known=tuple(near), remedy=hint)


def _pretrained_config(name: str) -> dict[str, Any]:
    import timm

    if not timm.is_model(name):
        raise _unknown(name)
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return dict(config.to_dict()) if config is not None else {}


@dataclass(frozen=True, slots=True)
class TimmFamily:
    """timm's classifiers."""

    name: str = "timm"
    option_names: tuple[str, ...] = ("weights", "classes", "seed", "engine")
    setting_names: tuple[str, ...] = ("top",)

    def names(self) -> Sequence[str]:
        import timm

        found: list[str] = timm.list_models()
        return found

    def opens(self, path: Path) -> bool:
        return _in_folder(path)

    def card(self, reference: Reference) -> ModelCard:
        if reference.path is not None and reference.path.is_dir():
            return _card_of_folder(reference.path, reference.options)
        reference = _named(reference)
        config = _pretrained_config(reference.name)
        count = int(config.get("num_classes") or 1000)
        if "classes" in reference.options:
            return _card(reference, config, _class_names(config, reference.options, -1), "")
        return _card(reference, config, _class_names(config, reference.options, count), "")

    def load(self, reference: Reference, *, device: str | None) -> TimmClassifier:
        import timm
        import torch

        if reference.path is not None and reference.path.is_dir():
            return _load_folder(timm, torch, reference, device)
        reference = _named(reference)
        config = _pretrained_config(reference.name)
        weights = reference.options.get("weights", _PRETRAINED)
        # Measuring takes some seconds: weights that know nothing are not worth them unless somebody asks.
        engine = reference.option(
            "engine", acceleration.ENGINES, "torch" if weights == _RANDOM else acceleration.usual()
        )
        arguments: dict[str, Any] = {"pretrained": False}  # or it would be downloaded
        if "classes" in reference.options:
            names = _class_names(config, reference.options, -1)
            arguments["num_classes"] = len(names)
        if weights == _PRETRAINED:
            arguments["checkpoint_path"] = str(_fetched(reference, config))
        elif weights != _RANDOM:
            arguments["checkpoint_path"] = str(_weights_file(reference, weights))
        network, place = _placed(torch, reference, _create(timm, torch, reference, arguments), device)
        names = _class_names(config, reference.options, network.num_classes)
        card = _card(reference, config, names, _weights_hash(network))
        return TimmClassifier(network, card, timm.data.resolve_model_data_config(network), place, engine)


def _placed(torch: Any, reference: Reference, network: Any, device: str | None) -> tuple[Any, str]:
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    network = network.eval().requires_grad_(False).to(device=place, memory_format=torch.channels_last)
    if int(getattr(network, "num_classes", 0)) < 1:
        raise ModelError(f"{reference.text!r} has no classifier head", remedy="Choose another model.")
    return network, place


def _in_folder(path: Path) -> bool:
    """Whether a folder is one as timm saves it, and not as transformers wraps it."""
    if not ((path / hub_loading.CONFIG).is_file() and (path / _FILES[0].name).is_file()):
        return False
    try:
        config = hub_loading.read_config(path)
    except ModelError:
        return False
    return isinstance(config.get("architecture"), str) and "architectures" not in config


def _card_of_folder(folder: Path, options: Mapping[str, str], weights_hash: str = "") -> ModelCard:
    config = hub_loading.read_config(folder)
    said = dict(config.get("pretrained_cfg") or {}) | config
    count = -1 if "classes" in options else int(said.get("num_classes") or 0)
    names = _class_names(said, options, count)
    base = ModelCard(folder.name, "timm", (Task.CLASSIFICATION,), names, code_licence="Apache-2.0", min_confidence=0.1)
    return dataclasses.replace(
        base,
        description=f"{config['architecture']}, a model of your own",
        licence=str(said.get("license") or ""),
        weights_hash=weights_hash,
    )


def _load_folder(timm: Any, torch: Any, reference: Reference, device: str | None) -> TimmClassifier:
    folder = reference.path
    assert folder is not None
    if not _in_folder(folder):
        raise ModelError(f"{folder} is no folder of a timm model", remedy="It needs config.json and model.safetensors.")
    engine = reference.option("engine", acceleration.ENGINES, acceleration.usual())
    with hub_loading.library_errors(folder):
        network = timm.create_model(f"local-dir:{folder}", pretrained=True)
    network, place = _placed(torch, reference, network, device)
    card = reference.card or _card_of_folder(folder, reference.options)
    if len(card.classes) != network.num_classes:
        raise ModelError(f"{folder} has {network.num_classes} outputs, and {len(card.classes)} names of classes",
                         remedy="Name them in label_names of its config.json, or with ?classes=FILE.")  # fmt: skip
    card = dataclasses.replace(card, weights_hash=_weights_hash(network))
    return TimmClassifier(network, card, timm.data.resolve_model_data_config(network), place, engine)


def _named(reference: Reference) -> Reference:
    """Return the reference with timm's own name: on the hub it stands below ``timm/``."""
    return dataclasses.replace(reference, name=reference.name.removeprefix("timm/"))


def _fetched(reference: Reference, config: dict[str, Any]) -> Path:
    """Return the file of pretrained weights. Raises ModelError where they were not fetched."""
    card = _card(reference, config, (), "")
    bare = reference.text.partition("?")[0]
    if not card.hub_id:
        raise ModelError(f"nobody publishes weights of {bare!r} as safetensors", remedy="Write ?weights= and a file.")
    licences.require(card)
    folder = weights_folder.find(card)
    if folder is None:
        raise ModelError(
            f"the weights of {bare!r} are not on this machine",
            remedy=f"Fetch them with: countersign models pull {bare} (or write ?weights= and a .safetensors file).",
        )
    return folder / _FILES[0].name


def _weights_file(reference: Reference, weights: str) -> Path:
    file = Path(weights).expanduser()
    if file.suffix != ".safetensors":
        raise ModelError(
            f"{reference.text!r}: weights is {weights!r}",
            remedy=f"It may be {_PRETRAINED}, {_RANDOM} or the path of a .safetensors file (a pickle is refused).",
        )
    if not file.is_file():
        raise ModelError(f"the weights {file} are not there", remedy="Check the path.")
    return file


def _create(timm: Any, torch: Any, reference: Reference, arguments: dict[str, Any]) -> Any:
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(reference.options.get("seed", 0)))
            return timm.create_model(reference.name, **arguments)
    except Exception as error:  # what a hub, a file or a constructor raises is theirs
        remedy = "Check the file (countersign models check), or write ?weights= and the path of another."
        raise ModelError(f"{reference.text!r} cannot be loaded: {error}", remedy=remedy) from error


def _card(reference: Reference, config: dict[str, Any], names: tuple[str, ...], weights_hash: str) -> ModelCard:
    weights = reference.options.get("weights", _PRETRAINED)
    known = weights == _PRETRAINED
    return ModelCard(
        name=f"timm-{str(config.get('hf_hub_id') or reference.name).rpartition('/')[2]}" if known else reference.name,
        family="timm",
        tasks=(Task.CLASSIFICATION,),
        classes=names,
        version=str(config.get("tag") or "1") if known else weights,
        description="random weights: it has learned nothing" if weights == _RANDOM else "",
        source=f"https://huggingface.co/{config['hf_hub_id']}" if known and config.get("hf_hub_id") else "",
        hub_id=str(config.get("hf_hub_id") or "") if known else "",
        files=_FILES if known and config.get("hf_hub_id") else (),
        code_licence="Apache-2.0",
        licence=str(config.get("license") or "") if known else "",
        weights_hash=weights_hash,
        min_confidence=0.1,
    )


FAMILY = TimmFamily()
