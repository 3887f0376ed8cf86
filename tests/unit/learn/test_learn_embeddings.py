from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from countersign.domain.errors import InvalidInput, ModelError
from countersign.learn.embeddings import fit_embeddings


def test_probabilities_add_up_and_follow_the_order_of_classes() -> None:
    vectors = np.eye(4, dtype=np.float32).repeat(3, axis=0)
    labels = ["d", "c", "b", "a"]
    head = fit_embeddings(vectors, [name for name in labels for _ in range(3)], labels)
    shares = head.probabilities(vectors)
    assert head.card.classes == ("d", "c", "b", "a")
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    assert shares.argmax(1).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("vectors", "labels", "classes"),
    [
        (np.zeros((0, 3)), [], ()),
        (np.ones((2, 3)), ["a"], ()),
        (np.ones((2, 3)), ["a", "a"], ()),
        (np.full((2, 3), np.nan), ["a", "b"], ()),
        (np.ones(3), ["a", "b", "c"], ()),
        (np.ones((2, 3)), ["a", "b"], ("a", "c")),
    ],
)
def test_what_cannot_be_learned(vectors: np.ndarray, labels: list[str], classes: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    with pytest.raises(InvalidInput):
        fit_embeddings(vectors, labels, classes)


def test_other_size_is_refused() -> None:
    head = fit_embeddings(np.eye(3), ["a", "b", "c"])
    with pytest.raises(ModelError, match="3 numbers"):
        head.predict(np.ones((1, 4)))


def test_embeddings_do_not_import_torch() -> None:
    code = "import sys, countersign.learn.embeddings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
