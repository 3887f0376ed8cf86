"""Importing images: once each, resumable, with the reasons of what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import shapes
from countersign import imaging
from countersign.domain.errors import InvalidInput
from countersign.workbench import importing
from countersign.workbench.progress import Progress
from countersign.workbench.project import Project


def test_import__adds_by_reference(project: Project) -> None:
    shapes.draw(Path("pictures/deep"), 3)

    done = project.import_images("pictures")

    assert (done.found, done.added, done.known) == (3, 3, 0)
    first = project.images()[0]
    assert first.name == "deep/0.png"
    assert first.path == str(Path("pictures/deep/0.png").absolute())
    assert (first.width, first.height) == (shapes.WIDTH, shapes.HEIGHT)


def test_import__twice_reads_nothing_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes.draw(Path("pictures"), 3)
    project.import_images("pictures")
    probed: list[Path] = []
    real = imaging.probe_many
    monkeypatch.setattr(imaging, "probe_many", lambda paths, **rest: real(probed.extend(paths) or paths, **rest))

    done = project.import_images("pictures")

    assert (done.added, done.known) == (0, 3)
    assert probed == []


def test_import__goes_on_after_it_was_broken_off(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes.draw(Path("pictures"), 5)
    monkeypatch.setattr(importing, "BATCH", 2)

    def stop(progress: Progress) -> None:
        if progress.done >= 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(importing.Ticker, "step", _always_saying)
    with pytest.raises(KeyboardInterrupt):
        project.import_images("pictures", on_progress=stop)
    between = project.count()

    done = project.import_images("pictures")

    assert between == 2
    assert (done.added, done.known) == (3, 2)


def _always_saying(ticker: importing.Ticker, count: int = 1, note: str = "") -> None:
    ticker.done += count
    ticker.finish(note)


def test_import__same_bytes_are_one_image(project: Project) -> None:
    (path,) = shapes.draw(Path("pictures"), 1)
    shutil.copy(path, "pictures/copy.png")

    done = project.import_images("pictures")

    assert (done.added, len(done.duplicates), project.count()) == (1, 1, 1)


def test_import__moved_file(project: Project) -> None:
    shapes.draw(Path("pictures"), 1)
    project.import_images("pictures")
    Path("pictures").rename("elsewhere")

    done = project.import_images("elsewhere")

    assert (done.added, done.known, done.moved, project.count()) == (0, 0, 1, 1)
    assert project.images()[0].path == str(Path("elsewhere/0.png").absolute())


def test_import__broken_files_are_refused_with_a_reason(project: Project) -> None:
    shapes.draw(Path("pictures"), 2)
    Path("pictures/broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    Path("pictures/empty.png").touch()
    Path("pictures/notes.txt").write_text("hello")

    done = project.import_images("pictures")

    assert done.added == 2
    assert {Path(item.path).name for item in done.refused} == {"broken.jpg", "empty.png"}
    assert all(item.reason for item in done.refused)


def test_import__split_and_tags_also_on_known_ones(project: Project) -> None:
    shapes.draw(Path("pictures"), 2)
    project.import_images("pictures")
    shapes.draw(Path("pictures"), 1, first=2)

    project.import_images("pictures", split="train", tags=["night"])

    assert project.count("split=train tag=night") == 3


def test_import__no_such_path(project: Project) -> None:
    with pytest.raises(InvalidInput, match="no file or folder"):
        project.import_images("nowhere")


def test_import__reports_progress(project: Project) -> None:
    shapes.draw(Path("pictures"), 3)
    seen: list[Progress] = []

    project.import_images("pictures", on_progress=seen.append)

    assert seen[0] == Progress("images", 0, 3)
    assert seen[-1].done == 3


def test_import__path_with_dots_is_the_same_file(project: Project) -> None:
    shapes.draw(Path("pictures"), 1)
    project.import_images("pictures")

    done = project.import_images("pictures/../pictures")

    assert (done.known, done.duplicates) == (1, ())


def test_import__leaves_the_workspace_itself_out(project: Project, tmp_path: Path) -> None:
    shapes.draw(tmp_path / "blobs" / "thumbnails", 1)
    shapes.draw(tmp_path / "pictures", 1, first=1)

    assert project.import_images(tmp_path).added == 1
