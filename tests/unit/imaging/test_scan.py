from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from made_pictures import encoded, scene

from countersign.domain.errors import ImageError
from countersign.imaging import probe, scan

PNG = encoded(scene(8, 8), "PNG")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for name in (
        "b/2.JPG",
        "b/10.jpg",
        "a.png",
        "b.png",
        "c/d/e/f.tiff",
        ".hidden.png",
        ".git/x.png",
        "__MACOSX/x.png",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    (root / "labels.json").write_text("{}")
    (root / "noending").write_bytes(PNG)
    (root / "photo.jpg_original").write_bytes(PNG)
    (root / "README").write_text("not a picture")
    (root / "empty").touch()
    (root / "raw.NEF").write_bytes(encoded(scene(8, 8), "TIFF"))
    return root


def names(root: Path, **options: object) -> list[str]:
    return [path.relative_to(root).as_posix() for path in scan(root, **options)]  # type: ignore[arg-type]


def test_scan__sorted_by_ending_or_content_without_hidden_and_system(tree: Path) -> None:
    assert names(tree) == ["a.png", "b/10.jpg", "b/2.JPG", "b.png", "c/d/e/f.tiff", "noending", "photo.jpg_original"]
    assert names(tree) == names(tree)


def test_scan__says_what_it_leaves_out(tree: Path) -> None:
    skipped: dict[str, str] = {}
    names(tree, on_skip=lambda path, reason: skipped.update({path.name: reason}))
    assert skipped == {
        "labels.json": "not an image",
        "README": "not an image",
        "empty": "the file is empty",
        "raw.NEF": ".nef pictures are not read",
    }


def test_scan__a_single_file_whatever_its_ending(tree: Path) -> None:
    assert list(scan(tree / "labels.json")) == [tree / "labels.json"]


def test_scan__of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="not there"):
        list(scan(tmp_path / "gone"))


def test_scan__links_to_folders_are_followed_once(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "z.png").write_bytes(PNG)
    (tree / "link").symlink_to(other)
    (tree / "link2").symlink_to(other)
    (tree / "c" / "loop").symlink_to(tree)
    (tree / "self").symlink_to(tree / "self")
    reasons: list[str] = []
    found = names(tree, on_skip=lambda path, reason: reasons.append(f"{path.name}: {reason}"))
    assert [name for name in found if "z.png" in name] == ["link/z.png"]
    assert len(found) == len(set(found)) == 8
    assert "loop: a link to a folder that has been visited" in reasons
    assert "link2: a link to a folder that has been visited" in reasons
    assert "self: not an ordinary file" in reasons


def test_scan__names_that_are_not_utf8_are_found_and_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(PNG)
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"text")
    reported: list[str] = []
    found = list(scan(tmp_path, on_skip=lambda path, _: reported.append(str(path))))
    assert len(found) == len(reported) == 1
    reported[0].encode()
    with pytest.raises(ImageError, match="not UTF-8") as caught:
        probe(found[0])
    assert str(caught.value).encode().endswith(b"caf\\xe9.png: its name is not UTF-8. Rename the file.")


def test_scan__is_lazy(tree: Path) -> None:
    found = scan(tree)
    assert next(found).name == "a.png"
    (tree / "c" / "new.png").write_bytes(PNG)
    assert "new.png" in [path.name for path in found]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_scan__a_folder_without_permission(tree: Path) -> None:  # pragma: no cover - not as root
    (tree / "b").chmod(0)
    reasons: list[str] = []
    assert "b/2.JPG" not in names(tree, on_skip=lambda _, reason: reasons.append(reason))
    (tree / "b").chmod(0o755)
    assert any("no permission" in reason for reason in reasons)


def test_scan__special_files_are_never_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe.jpg")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        Path("folder.jpg").mkdir()
        Path("dangling.png").symlink_to("gone")
        found = list(scan("."))
        reasons = {}
        for path in [*found, Path("folder.jpg")]:
            with pytest.raises(ImageError) as caught:
                probe(path)
            reasons[path.name] = caught.value.reason
    assert reasons == {
        "pipe.jpg": "not an ordinary file",
        "socket.jpg": "not an ordinary file",
        "dangling.png": "the file is not there",
        "folder.jpg": "a folder, not a file",
    }


def test_scan__many_folders_deep(tmp_path: Path, save: Callable[[str, bytes], Path]) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "x.png").write_bytes(PNG)
    assert [path.name for path in scan(tmp_path)] == ["x.png"]
