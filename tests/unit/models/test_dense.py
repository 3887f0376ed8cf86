"""Maps of logits at the size of an image: in parts as at once, and without the padding."""

from __future__ import annotations

import numpy as np
import pytest

from countersign.models.parts import dense
from countersign.models.parts.dense import Frame


@pytest.mark.parametrize("logits", [True, False])
def test_winners__in_parts_as_at_once(logits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    torch.manual_seed(0)
    maps = torch.randn(7, 5, 6) if logits else torch.rand(7, 5, 6)
    frame = Frame((40, 31))
    whole = dense.winners(maps, frame, logits=logits)
    monkeypatch.setattr(dense, "_BUDGET", 7 * 7 * 31)
    parts = dense.winners(maps, frame, logits=logits)
    assert np.array_equal(whole[0], parts[0])
    assert np.allclose(whole[1], parts[1], atol=1e-5)
    large = frame.enlarge(maps)
    share = large.softmax(dim=0) if logits else large / large.sum(dim=0)
    assert np.array_equal(whole[0], share.argmax(dim=0).numpy())
    assert np.allclose(whole[1], share.max(dim=0).values.numpy(), atol=1e-5)


@pytest.mark.parametrize("frame", [Frame((90, 70)), Frame((90, 70), seen=(64, 64), valid=(64, 50)), Frame((3, 2))])
@pytest.mark.parametrize("logits", [True, False])
def test_winners__maps_that_cannot_win_are_left_out_and_counted(logits: bool, frame: Frame) -> None:
    import torch
    from torch.nn import functional

    torch.manual_seed(1)
    smooth = functional.interpolate(torch.randn(1, 30, 5, 5) * 3, size=(16, 16), mode="bicubic")[0]
    smooth[6:] -= 6  # most classes are not in the image
    maps = smooth if logits else smooth.sigmoid()
    able = dense._able(maps)
    assert 0 < able.sum() < len(maps)
    classes, shares = dense.winners(maps, frame, logits=logits)
    large = frame.enlarge(maps)
    expected = large.softmax(dim=0) if logits else large / large.sum(dim=0)
    assert np.array_equal(classes, large.argmax(dim=0).numpy())
    assert np.allclose(shares, expected.max(dim=0).values.numpy(), atol=1e-2 if logits else 1e-5)


def test_frame__padding_is_cut_off_before_the_image_is_enlarged() -> None:
    """A ramp over the image and nothing beyond: its middle stays in the middle."""
    import torch

    ramp = torch.linspace(-1, 1, 12).repeat(16, 1)
    padded = torch.full((1, 16, 16), -5.0)
    padded[0, :, :12] = ramp
    painted = Frame((64, 96), seen=(64, 64), valid=(64, 48)).enlarge(padded)[0] > 0
    assert painted.shape == (64, 96)
    assert painted.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert not painted[:, :46].any()
    assert painted[:, 50:90].all()


def test_frame__crop() -> None:
    import torch

    maps = torch.zeros(2, 16, 16)
    assert Frame((64, 96), seen=(64, 64), valid=(64, 48)).crop(maps).shape == (2, 16, 12)
    assert Frame((64, 96)).crop(maps).shape == (2, 16, 16)
    assert Frame((1, 900), seen=(64, 64), valid=(1, 64)).crop(maps).shape == (2, 1, 16)


def test_lazy__paints_what_is_looked_at_once() -> None:
    asked: list[int] = []

    def paint(index: int) -> np.ndarray:
        asked.append(index)
        return np.full((2, 2), index == 1)

    masks = dense.Lazy(3, paint)
    assert len(masks) == 3
    assert masks[1].any()
    assert masks[1].all()
    assert asked == [1]
    assert [bool(mask.any()) for mask in masks] == [False, True, False]
    with pytest.raises(IndexError):
        masks[3]
