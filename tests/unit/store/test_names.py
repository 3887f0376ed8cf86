from __future__ import annotations

import pytest

from countersign.store import names


@pytest.mark.parametrize(
    ("name", "last", "bare", "stem"),
    [
        ("a/b.jpg", "b.jpg", "a/b", "b"),
        ("b", "b", "b", "b"),
        ("a.b/c", "c", "a.b/c", "c"),
        ("a\\b.tar.gz", "b.tar.gz", "a\\b.tar", "b.tar"),
        ("a.b\\c", "c", "a.b\\c", "c"),
        (".hidden", ".hidden", ".hidden", ".hidden"),
        ("a/.hidden", ".hidden", "a/.hidden", ".hidden"),
        ("a\\.hidden.x", ".hidden.x", "a\\.hidden", ".hidden"),
        ("dot.", "dot.", "dot", "dot"),
        ("a/", "", "a/", ""),
        ("", "", "", ""),
    ],
)
def test_parts(name: str, last: str, bare: str, stem: str) -> None:
    assert (names.last_part(name), names.without_ending(name), names.stem(name)) == (last, bare, stem)


def test_forms() -> None:
    assert names.forms("a/b.jpg", "/x/a/b.jpg") == {"a/b.jpg", "a/b", "b.jpg", "b", "/x/a/b.jpg", "/x/a/b"}


def test_name_index__a_name_wins_over_a_path() -> None:
    first = names.NamedImage(1, "other.jpg", "a.jpg", 1, 1)
    second = names.NamedImage(2, "a.jpg", "/x/a.jpg", 1, 1)
    third = names.NamedImage(3, "a.jpg", "/y/a.jpg", 1, 1)
    index = names.NameIndex([first, second, third])
    assert index.find("a.jpg") == (second, third)
    assert index.find("/y/a.jpg") == (third,)
    assert index.find("other.jpg") == (first,)
