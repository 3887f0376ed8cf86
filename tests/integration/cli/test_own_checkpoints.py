"""Checkpoints of one's own by their path, each family's as its library saves it: the right answers, the right names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import known_models
from countersign.models import registry
from countersign.runs import executors
from shapes import Call

COUNT = 12


@pytest.fixture(autouse=True)
def _runs_in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most runs save themselves the start of a worker; those with the mark ``slow`` have one."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setitem(executors._executors, "processes", executors.Inline)


@pytest.fixture
def fruits(call: Call) -> Call:
    """A project of pictures in a folder for each class, which are the truth."""
    known_models.write(Path("fruits"), COUNT)
    call("import", "fruits", "fruits", "--format", "class-folders")
    return call


def _measured(call: Call, *more: str) -> float:
    call("run", "fruits", "--field", "auto", "--quiet", "--min-confidence", "0", *more)
    done = call("evaluate", "fruits", "--field", "auto", "--json").data
    names = {item["class_name"] for item in call("labels", "auto", "--json").data["labels"]}
    assert names == set(known_models.NAMES)
    return float(done["classification"]["accuracy"])


def _names(file: Path) -> Path:
    file.write_text("".join(f"{name}\n" for name in known_models.NAMES))
    return file


@pytest.mark.parametrize(
    "save", [known_models.transformers_folder, known_models.timm_folder], ids=["transformers", "timm"]
)
def test_folder__says_what_it_is(fruits: Call, save: Callable[[Path], Path]) -> None:
    path = save(Path("my model"))
    assert _measured(fruits, "--model", f"./{path}") == 1.0


def test_folder__is_added_under_a_name(fruits: Call) -> None:
    fruits("models", "add", known_models.timm_folder(Path("mine")), "--name", "fruit-net")
    assert _measured(fruits, "--model", "fruit-net") == 1.0
    assert registry.card("fruit-net").classes == known_models.NAMES


def test_timm__a_file_of_numbers(fruits: Call) -> None:
    file, names = known_models.timm_file(Path("net.safetensors")), _names(Path("names.txt"))
    assert _measured(fruits, "--model", f"timm:test_resnet?weights={file}&classes={names}") == 1.0


def test_torchvision__a_state_dict_with_its_class_list(fruits: Call) -> None:
    """As a pickle it must be allowed once; then it is read for numbers alone."""
    file, names = known_models.torchvision_file(Path("net.pth")), _names(Path("names.txt"))
    reference = f"torchvision:resnet18?weights={file}&classes={names}"
    refused = fruits("run", "fruits", "--field", "refused", "--model", reference, code=6)
    assert "allow-pickle" in refused.err
    fruits("models", "allow-pickle", file)
    assert _measured(fruits, "--model", reference) == 1.0


def test_torchvision__a_file_alone_does_not_say_what_it_is(fruits: Call) -> None:
    done = fruits("run", "fruits", "--field", "auto", "--model", f"./{known_models.torchvision_file(Path('net.pth'))}",
                  code=6)  # fmt: skip
    assert "does not say of which architecture" in done.err
    assert "--as timm:" in done.err


@pytest.mark.slow
def test_ultralytics__a_file(fruits: Call) -> None:
    """The licence of its code comes first, then the pickle is allowed; it runs in the library's own process."""
    file = known_models.ultralytics_file(Path("best.pt"))
    refused = fruits("run", "fruits", "--field", "refused", "--model", f"./{file}", code=6)
    assert "AGPL-3.0" in refused.err
    assert "models pull ultralytics --accept-licence" in refused.err
    fruits("models", "pull", "ultralytics", "--accept-licence")
    assert "allow-pickle" in fruits("run", "fruits", "--field", "refused", "--model", f"./{file}", code=6).err
    fruits("models", "allow-pickle", file)
    assert _measured(fruits, "--model", f"./{file}") == 1.0


def test_segformer__where_the_fruits_are(call: Call) -> None:
    """Classes of pixels by a folder of transformers, against masks drawn by hand."""
    folder = known_models.segmenter_folder(Path("my segmenter"))
    Path("pictures").mkdir()
    for index in range(6):
        Image.fromarray(known_models.fruit(index)[0]).save(Path("pictures") / f"{index}.png")
    call("import", "fruits", "pictures")
    call("run", "fruits", "--field", "auto", "--model", f"./{folder}", "--min-confidence", "0", "--quiet",
         "--masks", "masks")  # fmt: skip
    for index in range(6):
        found = {
            item["class_name"]: np.asarray(Image.open(item["attributes"]["mask_file"])) > 0
            for item in call("labels", "auto", "--images", f"name={index}.png", "--json").data["labels"]
        }
        truth = known_models.fruit(index)[1]
        own = found[known_models.class_of(index)]
        assert (own & truth).sum() / (own | truth).sum() > 0.8
        assert (found["ground"] & ~truth).sum() / (found["ground"] | ~truth).sum() > 0.8
