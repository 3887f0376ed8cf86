"""Drawing in the editor with the mouse, in pixels of the image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom of a box in pixels of the image."""


def stage(page: Page) -> Locator:
    return page.get_by_role("application", name="Image and labels")


def rows(page: Page) -> Locator:
    """The list of the image's labels."""
    return page.get_by_role("region", name="Labels of this image").get_by_role("option")


def saved(page: Page) -> None:
    """Wait until the server has every change."""
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")


def drag(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Press at one point of the page, let go at another."""
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=5)
    page.mouse.up()


@dataclass(frozen=True)
class Pen:
    """Where the pixels of the image are on the page, while one is shown by one."""

    page: Page
    left: float
    top: float

    @classmethod
    def over(cls, page: Page, width: int, height: int) -> Pen:
        """Show the open image pixel by pixel and find its place by what the editor says of the cursor."""
        shown = page.get_by_role("button", name="100 %")
        for _ in range(20):  # the picture may come after the key, and is fitted then
            page.keyboard.press("Shift+F")
            page.wait_for_timeout(250)
            if shown.is_visible():
                break
        expect(shown).to_be_visible()
        area = stage(page).bounding_box()
        assert area is not None
        assert area["width"] > width
        assert area["height"] > height
        # A quarter of a pixel inside: what is said are whole pixels, rounded down.
        x, y = round(area["x"] + area["width"] / 2) + 0.25, round(area["y"] + area["height"] / 2) + 0.25
        page.mouse.move(x - 1, y)
        page.mouse.move(x, y)
        cursor = page.get_by_role("region", name="Image", exact=True).get_by_text(re.compile(r"^\d+, \d+$"))
        expect(cursor).to_be_visible()
        column, row = (int(each) for each in cursor.inner_text().split(", "))
        return cls(page, x - column - 0.5, y - row - 0.5)

    def box(self, corners: Corners) -> None:
        """Drag a box; what was selected, and its handles with it, is out of the way."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        left, top, right, bottom = corners
        drag(self.page, self.left + left, self.top + top, self.left + right, self.top + bottom)


def corners(geometry: dict[str, Any]) -> Corners:
    """Corners of a box as the server says it."""
    x, y = geometry["x"], geometry["y"]
    return x, y, x + geometry["width"], y + geometry["height"]
