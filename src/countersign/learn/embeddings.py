"""Classification taught on embeddings that something else computed: a linear head, fitted exactly and within a second.

Random weights learn nothing useful from fifty photos; an embedding that knows many photos does. Which network makes
the embeddings is not known here: the same one must make those that are predicted. Does not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import InvalidInput, ModelError
from countersign.domain.model import ModelCard, Task
from countersign.learn import storage


@dataclass(frozen=True, slots=True)
class EmbeddingHead:
    """Multinomial logistic regression on unit-length, centred embeddings.

    ``weights`` (classes, size), ``bias`` (classes,), ``centre`` (size,): float32.
    """

    card: ModelCard
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    centre: NDArray[np.float32]

    def probabilities(self, embeddings: NDArray[Any]) -> NDArray[np.float32]:
        """Return (n, classes) probabilities of (n, size) embeddings. Raises ModelError for another size."""
        found = _checked(embeddings)
        if found.shape[1] != self.centre.size:
            raise ModelError(f"this head takes embeddings of {self.centre.size} numbers, not {found.shape[1]}")
        logits = (_unit(found) - self.centre) @ self.weights.T + self.bias
        shares = np.exp(logits - logits.max(1, keepdims=True))
        result: NDArray[np.float32] = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
        return result

    def predict(self, embeddings: NDArray[Any]) -> list[tuple[str, float]]:
        """Return the most probable class of each embedding, and its probability."""
        shares = self.probabilities(embeddings)
        best = shares.argmax(1)
        return [(self.card.classes[kind], float(row[kind])) for kind, row in zip(best.tolist(), shares, strict=True)]


def fit_embeddings(
    embeddings: NDArray[Any],
    labels: Sequence[str],
    classes: Sequence[str] = (),
    *,
    name: str = "embedding head",
    source: str = "",
    strength: float = 100.0,
) -> EmbeddingHead:
    """Fit a head to (n, size) embeddings and the class name of each.

    ``classes`` gives the order of the classes, empty means by name. ``source`` names what made the embeddings, for the
    card. ``strength`` is the inverse of the ridge (scikit-learn's C). The fit is convex: the same data gives the same
    head. Raises InvalidInput where there are not two classes, or the numbers do not match.
    """
    from scipy.optimize import minimize

    found = _checked(embeddings)
    names = tuple(dict.fromkeys(classes)) or tuple(sorted(set(labels)))
    if len(found) != len(labels):
        raise InvalidInput(f"there are {len(found)} embeddings and {len(labels)} labels")
    if len(set(labels)) < 2:
        raise InvalidInput("embeddings of two classes or more are needed: there is nothing to tell apart")
    if unknown := sorted(set(labels) - set(names)):
        raise InvalidInput(f"labels that are none of the classes: {', '.join(unknown)}")
    unit = _unit(found).astype(np.float64)
    centre = unit.mean(0)
    points = unit - centre
    truth = np.zeros((len(labels), len(names)))
    truth[np.arange(len(labels)), [names.index(label) for label in labels]] = 1
    shape = (len(names), points.shape[1] + 1)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(shape)
        logits = points @ table[:, :-1].T + table[:, -1]
        top = logits.max(1, keepdims=True)
        log_sum = top + np.log(np.exp(logits - top).sum(1, keepdims=True))
        wrong = np.exp(logits - log_sum) - truth
        ridge = table[:, :-1] / strength
        value = float((truth * (log_sum - logits)).sum() + 0.5 * (table[:, :-1] * ridge).sum())
        return value, np.concatenate([wrong.T @ points + ridge, wrong.sum(0)[:, None]], 1).ravel()

    result = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    table = np.asarray(result.x).reshape(shape)
    card = ModelCard(
        name=name,
        family="trained",
        tasks=(Task.CLASSIFICATION,),
        classes=names,
        description=f"a linear head on embeddings of {points.shape[1]} numbers, taught by {len(labels)} images",
        source=source,
        details={
            "format": storage.FORMAT,
            "kind": storage.EMBEDDING_HEAD,
            "embedding_size": int(points.shape[1]),
            "examples": {label: list(labels).count(label) for label in names},
        },
    )
    return EmbeddingHead(
        card, table[:, :-1].astype(np.float32), table[:, -1].astype(np.float32), centre.astype(np.float32)
    )


def save_embedding_head(head: EmbeddingHead, folder: Path | str) -> EmbeddingHead:
    """Save a head into a folder; returns it with the hash of its weights in the card."""
    from safetensors.numpy import save

    data = save({"weights": np.ascontiguousarray(head.weights), "bias": head.bias, "centre": head.centre})
    return replace(head, card=storage.write(Path(folder), data, head.card))


def load_embedding_head(path: Path | str) -> EmbeddingHead:
    """Load a head from a folder or exported file. Raises ModelError for one that is damaged or foreign."""
    path = Path(path)
    card, data = storage.read(path)
    arrays = storage.tensors(path, data)
    if card.details.get("kind") != storage.EMBEDDING_HEAD or {"weights", "bias", "centre"} - arrays.keys():
        raise ModelError(f"{path} is not a head for embeddings")
    return EmbeddingHead(card, arrays["weights"], arrays["bias"], arrays["centre"])


def _checked(embeddings: NDArray[Any]) -> NDArray[np.float32]:
    found = np.asarray(embeddings, np.float32)
    if found.ndim != 2 or 0 in found.shape or not np.isfinite(found).all():
        raise InvalidInput(f"embeddings are (images, size) finite numbers, not an array of shape {found.shape}")
    return found


def _unit(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    result: NDArray[np.float32] = embeddings / np.maximum(length, 1e-12)
    return result
