"""Every main screen, dark and light, by the rules of axe: nothing serious or critical is wrong with it."""

from pathlib import Path

import pytest
from browsing import Visit
from playwright.sync_api import Browser, Page, expect

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter((rule) => ["serious", "critical"].includes(rule.impact))
    .flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)} (${node.failureSummary})`));
}"""
BOX = {"class_name": "disc", "geometry": {"type": "box", "x": 20, "y": 30, "width": 50, "height": 40}}


@pytest.fixture(params=["dark", "light"])
def themed(request: pytest.FixtureRequest, anna: Visit) -> Visit:
    """Anna's browser with one of the two colour schemes."""
    anna.page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return anna


def problems(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is now."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run 'npm ci' in web/")
    page.evaluate(AXE.read_text() + ";0")  # the page itself allows no scripts from elsewhere
    found: list[str] = page.evaluate(RUN)
    return found


def test_axe_finds_what_is_wrong(anna):
    anna.page.locator("main").evaluate("main => { main.innerHTML = '<button></button>' }")
    assert any(problem.startswith("button-name") for problem in problems(anna.page))


def test_projects__accessible(themed, smears):
    page = themed.go("/")
    expect(page.get_by_role("article").first).to_be_visible()
    assert problems(page) == []
    page.get_by_role("button", name="New project").first.click()
    expect(page.get_by_role("dialog", name="New project").get_by_label("Name", exact=True)).to_be_visible()
    assert problems(page) == []


def test_images__accessible(themed, served, smears):
    served.run(smears, "auto")
    page = themed.go(f"/p/{smears}/images?q=field%3Dauto")
    expect(page.get_by_role("option").first).to_be_visible()
    expect(page.get_by_role("region", name="Class")).to_be_visible()
    assert problems(page) == []
    page.keyboard.press("Control+a")
    page.keyboard.press("t")
    expect(page.get_by_label("Find or make a tag")).to_be_visible()
    assert problems(page) == []


def test_dialogs__accessible(themed, smears):
    page = themed.go(f"/p/{smears}/images")
    expect(page.get_by_role("option").first).to_be_visible()
    for open_it, name in (("?", "Keyboard and mouse"), ("Control+k", "Command palette")):
        page.keyboard.press(open_it)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert problems(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name=name)).to_have_count(0)
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("dialog", name="Export labels")).to_be_visible()
    assert problems(page) == []


def test_editor__accessible(themed, served, smears):
    image = served.images(smears)["smear_0000.jpg"]["id"]
    served.post(f"/images/{image}/labels", {"field": "ground_truth", "labels": [BOX]})
    page = themed.go(f"/p/{smears}/image/{image}")
    expect(page.get_by_text("disc").first).to_be_visible()
    assert problems(page) == []


def test_runs_review_models__accessible(themed, served, smears):
    run = served.run(smears, "auto")
    for path, sign in (
        (f"/p/{smears}/runs", "auto"),
        (f"/p/{smears}/runs/{run}/review", "disc"),
        ("/models", "Models"),
        ("/nowhere", "There is nothing at this address"),
    ):
        page = themed.go(path)
        expect(page.locator("main").get_by_text(sign).first).to_be_visible()
        assert problems(page) == []


def test_gate__accessible(browser: Browser, served):
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.url)
    expect(page.get_by_label("Link or token")).to_be_visible()
    assert problems(page) == []
    context.close()
