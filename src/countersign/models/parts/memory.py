"""Whether an error says that the memory is full, told by its name and words: no library is imported for it."""

from __future__ import annotations

_ERRORS = ("OutOfMemoryError", "MemoryError", "CudaOutOfMemoryError", "ArrayMemoryError")
_WORDS = ("out of memory", "allocate memory", "bad_alloc")
"""As CUDA, torch and ONNX Runtime on the CPU, and C++ say it."""


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, says that the memory (of a GPU, mostly) is full."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        names = {kind.__name__ for kind in type(error).__mro__}
        text = str(error).lower()
        if names.intersection(_ERRORS) or any(words in text for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False
