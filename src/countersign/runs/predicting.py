"""Predicting one batch whatever happens: too large for the memory, or with an image that a model cannot digest.

Knows models by their contract alone.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from countersign.domain.errors import ModelError, ServerGone
from countersign.domain.label import Prediction
from countersign.models.parts.memory import is_out_of_memory

Predict = Callable[[Sequence[Any]], list[list[Prediction]]]


def free_memory() -> None:
    """Give back what a library holds in reserve, after an error has been handled."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def explain(error: BaseException) -> str:
    """Return one line that says what went wrong, for the reason of a failed image."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return (text if text and type(error).__module__.startswith("countersign") else f"{name}: {text}".rstrip(": "))[:500]


def is_fatal(error: BaseException) -> bool:
    """Whether a device or a server is lost: every later prediction in this process would fail, so no image is to
    blame."""
    text = str(error)
    return isinstance(error, ServerGone) or "CUDA error" in text or "device-side assert" in text or "HIP error" in text


class BatchSize:
    """How many images fit at once: as asked for until the memory was full once. Shared by threads."""

    def __init__(self, value: int) -> None:
        self.value = value
        self._lock = threading.Lock()

    def shrink(self, tried: int) -> None:
        """Remember that ``tried`` images were too many."""
        with self._lock:
            self.value = max(1, min(self.value, tried // 2))


def predict_all(predict: Predict, items: Sequence[Any], size: BatchSize) -> list[list[Prediction] | str]:
    """Predict for each item: its predictions, or the reason why there are none.

    A batch too large for the memory is halved, and later ones stay so; a batch that fails otherwise is tried item by
    item, so that one bad image costs its own result alone. Raises ModelError where no image is to blame: the device is
    lost, or the server of the model is gone.
    """
    results: list[list[Prediction] | str] = []
    while len(results) < len(items):
        part = items[len(results) : len(results) + size.value]
        try:
            found = predict(part)
            if len(found) != len(part):
                raise ValueError(f"the model returned {len(found)} results for {len(part)} images")
        except ServerGone:
            raise
        except Exception as error:
            full, reason = is_out_of_memory(error), explain(error)
            if not full and is_fatal(error):
                raise ModelError(f"the device failed: {reason}", remedy="Resume the run.") from error
        else:
            results += found
            continue
        if full:
            free_memory()
            if len(part) > 1:
                size.shrink(len(part))
                continue
        if len(part) == 1:
            results.append(reason)
        else:
            results += (predict_all(predict, [item], BatchSize(1))[0] for item in part)
    return results
