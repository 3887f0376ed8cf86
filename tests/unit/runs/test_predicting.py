from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain.errors import ModelError, ServerGone
from countersign.domain.label import Prediction
from countersign.models.parts.memory import is_out_of_memory
from countersign.runs.predicting import BatchSize, explain, predict_all


class OutOfMemoryError(RuntimeError):
    """As torch's is called."""


def _answer(item: Any) -> list[Prediction]:
    return [Prediction(str(item), None, 0.5)]


def test_predict_all__one_bad_image_costs_its_own_result_alone() -> None:
    def predict(items: Sequence[int]) -> list[list[Prediction]]:
        if 3 in items:
            raise ZeroDivisionError("three")
        return [_answer(item) for item in items]

    found = predict_all(predict, range(8), BatchSize(4))
    assert found[3] == "ZeroDivisionError: three"
    assert [result for index, result in enumerate(found) if index != 3] == [_answer(i) for i in range(8) if i != 3]


def test_predict_all__no_image_is_to_blame_for_a_server_that_is_gone() -> None:
    asked: list[int] = []

    def predict(items: Sequence[int]) -> list[list[Prediction]]:
        asked.append(len(items))
        raise ServerGone("http://gpu-box cannot be reached")

    with pytest.raises(ServerGone, match="gpu-box cannot be reached"):
        predict_all(predict, range(8), BatchSize(4))
    assert asked == [4]  # not each image again


@given(count=st.integers(1, 40), fits=st.integers(1, 16), batch=st.integers(1, 32))
def test_predict_all__halves_what_does_not_fit(count: int, fits: int, batch: int) -> None:
    tried: list[int] = []

    def predict(items: Sequence[int]) -> list[list[Prediction]]:
        tried.append(len(items))
        if len(items) > fits:
            raise ModelError("the model failed") from OutOfMemoryError("CUDA out of memory")
        return [_answer(item) for item in items]

    size = BatchSize(batch)
    assert predict_all(predict, range(count), size) == [_answer(index) for index in range(count)]
    assert size.value <= max(fits, 1) or size.value == batch
    failed = [number for number in tried if number > fits]
    assert len(failed) <= 6  # it learns: no later batch is as large as one that did not fit
    assert failed == sorted(set(failed), reverse=True)


def test_predict_all__one_image_that_never_fits_fails() -> None:
    def predict(items: Sequence[int]) -> list[list[Prediction]]:
        raise MemoryError("too large")

    assert predict_all(predict, [1, 2], BatchSize(2)) == ["MemoryError: too large"] * 2


def test_predict_all__a_wrong_number_of_results_is_a_failure() -> None:
    found = predict_all(lambda items: [], [1], BatchSize(2))
    assert "returned 0 results for 1 images" in str(found[0])


def test_predict_all__a_lost_device_is_no_fault_of_an_image() -> None:
    def predict(items: Sequence[int]) -> list[list[Prediction]]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(ModelError, match="device failed"):
        predict_all(predict, [1, 2], BatchSize(2))


def test_is_out_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."))
    assert not is_out_of_memory(ValueError("no"))


def test_explain() -> None:
    assert explain(ValueError("two\nlines")) == "ValueError: two lines"
    assert explain(ModelError("it broke")) == "it broke."
    assert explain(KeyError()) == "KeyError"
