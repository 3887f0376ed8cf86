from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from store_samples import Sample, add, file, sample

from countersign.domain.errors import NotFound
from countersign.domain.geometry import Box
from countersign.domain.image import ImageState
from countersign.domain.label import Label, LabelState
from countersign.domain.query import ImageQuery, LabelFilter, parse
from countersign.store import Store, fields, images, query

NAMES = ("night/a.jpg", "night/b.png", "day/a.jpg", "day/Ünal Ö.tif", "day/100%_c.ome.tif", ".hidden", "noending")


@dataclass(frozen=True)
class Project:
    sample: Sample
    ids: Mapping[str, int]

    def named(self, found: Iterable[int]) -> list[str]:
        by_id = {id: name for name, id in self.ids.items()}
        return [by_id[id] for id in found]


@pytest.fixture
def project(store: Store) -> Project:
    with store.write() as c:
        s = sample(c, 0)
        sample(c, 3, "other")  # nothing of it may ever be found
        items = [
            images.NewImage(file(1000 + number, path=f"/photos/2026/{name}"), name, "train" if number < 3 else "test")
            for number, name in enumerate(NAMES)
        ]
        ids = dict(zip(NAMES, images.add(c, s.project, items).ids, strict=True))
        images.add_tags(c, [ids["night/a.jpg"], ids["night/b.png"]], ["night", "blurry"])
        images.remove_tags(c, [ids["night/b.png"]], ["blurry"])
        images.set_state(c, [ids["day/a.jpg"]], ImageState.MISSING)
        states = (LabelState.PROPOSED, LabelState.PROMOTED)
        add(
            c,
            s,
            [
                (ids[name], Label(("red", "white")[number % 2], Box(1, 1, 1, 1), number / 4, states[number % 2]))
                for number, name in enumerate(NAMES[:5])
            ],
        )
        other = fields.create(c, s.project, "run_1")
        add(c, s, [(ids["night/a.jpg"], Label("red", confidence=0.9)), (ids["noending"], Label("red"))], field=other.id)
    return Project(s, ids)


QUERIES = (
    ("", NAMES),
    ("text~NIGHT/", NAMES[:2]),
    ("text~ünal", ("day/Ünal Ö.tif",)),
    ("text~%_", ("day/100%_c.ome.tif",)),
    ("text~_a", ()),
    ("name=a.jpg", ("night/a.jpg", "day/a.jpg")),
    ("name=a", ("night/a.jpg", "day/a.jpg")),
    ("name=day/a", ("day/a.jpg",)),
    ("name=/photos/2026/day/a.jpg", ("day/a.jpg",)),
    ("name=/photos/2026/day/a", ("day/a.jpg",)),
    (r"'name=day\a.jpg'", ("day/a.jpg",)),
    ("name=a.png", ()),
    ("name=2026/day/a.jpg", ()),
    ("name=100%_c.ome,b", ("night/b.png", "day/100%_c.ome.tif")),
    ("name=100%_c", ()),
    ("name=.hidden,noending", (".hidden", "noending")),
    ("split=train", NAMES[:3]),
    ("split=train,test", NAMES),
    ("split=val", ()),
    ("tag=night", NAMES[:2]),
    ("tag=night,blurry", NAMES[:1]),
    ("tag=night -tag=blurry", NAMES[1:2]),
    ("-tag=night", NAMES[2:]),
    ("file=missing", ("day/a.jpg",)),
    ("file=ok split=train", NAMES[:2]),
    ("has=ground_truth", NAMES[:5]),
    ("-has=ground_truth", NAMES[5:]),
    ("has=ground_truth,run_1", NAMES[:1]),
    ("has=run_1 -has=ground_truth", ("noending",)),
    ("field=ground_truth", NAMES[:5]),
    ("field=ground_truth class=red", ("night/a.jpg", "day/a.jpg", "day/100%_c.ome.tif")),
    ("field=ground_truth class=red,white confidence=0.25..0.5", NAMES[1:3]),
    ("field=ground_truth confidence=0.25..0.3", NAMES[1:2]),
    ("field=ground_truth confidence=..0.25", NAMES[:2]),
    ("field=ground_truth confidence=1..1", NAMES[4:5]),
    ("field=ground_truth state=promoted", NAMES[1:4:2]),
    ("field=ground_truth state=promoted class=red", ()),
    ("field=ground_truth state=rejected", ()),
    ("field=run_1 confidence=0..1", NAMES[:1]),
    ("field=ground_truth class=red split=train tag=night text~a", NAMES[:1]),
)


@pytest.mark.parametrize("few", [True, False])
def test_query(store: Store, project: Project, monkeypatch: pytest.MonkeyPatch, few: bool) -> None:
    if not few:
        monkeypatch.setattr("countersign.store.query._FEW_LABELS", -1)
    # One test for all: a project for each would take a minute.
    for text, names in QUERIES:
        check_query(store, project, text, names)


def check_query(store: Store, project: Project, text: str, names: tuple[str, ...]) -> None:
    """Every way to ask gives these images."""
    asked = parse(text)
    wanted = sorted(project.ids[name] for name in names)
    of = project.sample.project
    with store.read() as c:
        assert project.named(images.ids(c, of, asked)) == project.named(wanted), text
        assert images.count(c, of, asked) == len(names), text
        assert [image.id for image in images.page(c, of, asked)] == wanted, text
        first = images.page(c, of, asked, limit=1)
        rest = images.page(c, of, asked, after=first[0].id if first else 0)
        assert [image.id for image in (*first, *rest)] == wanted, text
        assert [image.id for some in images.walk(c, of, asked, chunk=2) for image in some] == wanted, text


@pytest.mark.parametrize("text", ["field=nope", "has=nope", "-has=nope", "field=ground_truth class=nope"])
def test_query__unknown_names(store: Store, project: Project, text: str) -> None:
    with store.read() as c, pytest.raises(NotFound, match="nope"):
        images.count(c, project.sample.project, parse(text))


def test_query__ids_of_this_project_alone(store: Store, project: Project) -> None:
    everything = tuple(range(1, 1000))
    with store.read() as c:
        assert images.ids(c, project.sample.project, ImageQuery(ids=everything)) == sorted(project.ids.values())
        assert images.ids(c, project.sample.project, ImageQuery(ids=())) == []
        assert images.ids(c, project.sample.project, ImageQuery(names=())) == []
        assert images.count(c, project.sample.project, None) == len(NAMES)


def test_query__a_hundred_thousand_names_and_ids(store: Store, project: Project) -> None:
    many = tuple(f"no/{number}.jpg" for number in range(100_000))
    with store.read() as c:
        assert project.named(images.ids(c, project.sample.project, ImageQuery(names=(*many, "night/a.jpg")))) == [
            "night/a.jpg"
        ]
        assert images.count(c, project.sample.project, ImageQuery(ids=tuple(range(100_000)))) == len(NAMES)


def test_query__states_and_classes_are_looked_for_where_they_are(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 3000)
        add(c, s, [(image_id, Label("red", state=LabelState.PROPOSED)) for image_id in s.images])
        add(c, s, [(s.images[number], Label("red", state=LabelState.REJECTED)) for number in (3, 1030, 2999)])
    with store.read() as c:
        rejected = ImageQuery(labels=LabelFilter("ground_truth", states=(LabelState.REJECTED,)))
        assert images.ids(c, s.project, rejected) == [s.images[number] for number in (3, 1030, 2999)]


def test_unmatched_names(store: Store, project: Project) -> None:
    with store.read() as c:
        asked = ["a.jpg", "a.png", "noending", "x/noending", "day\\a", ""]
        assert query.unmatched_names(c, project.sample.project, asked) == ["a.png", "x/noending", ""]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("NIGHT/", ["night/a.jpg", "night/b.png"]),
        ("ünal ö", ["day/Ünal Ö.tif"]),
        ("NAL", ["day/Ünal Ö.tif"]),  # a text of ASCII in a name that is not
        ("0%_C", ["day/100%_c.ome.tif"]),
        ("%", ["day/100%_c.ome.tif"]),
        ("h_d", []),
        ("/", ["night/a.jpg", "night/b.png", "day/a.jpg", "day/Ünal Ö.tif", "day/100%_c.ome.tif"]),
    ],
)
def test_text_of_the_name__whatever_the_case(store: Store, project: Project, text: str, wanted: list[str]) -> None:
    with store.read() as c:
        assert project.named(images.ids(c, project.sample.project, ImageQuery(text=text))) == wanted


def test_text_of_the_name__letters_that_become_ascii(tmp_path: Path) -> None:
    with Store.open(tmp_path / "workspace") as store, store.write() as c:
        s = sample(c, 0)
        name = "300\N{KELVIN SIGN}.png"
        images.add(c, s.project, [images.NewImage(file(1, path=f"/p/{name}"), name)])
        assert images.count(c, s.project, ImageQuery(text="300k")) == 1
