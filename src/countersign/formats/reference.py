"""The reference page of all formats, made from the registry: ``python -m countersign.formats.reference``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from countersign.domain.geometry import Kind
from countersign.formats import registry
from countersign.formats.base import Format, Holds, WriteOptions

_INTRO = """\
# Label formats

*Made from the registry by `python -m countersign.formats.reference`; a test keeps it fresh.*

`--format auto` looks at the file or folder and takes the format that fits; where several could, it names them.

What a file gets wrong is reported with the file and the line or id, and the rest is imported: a box that has no area
or lies outside its image is skipped, one that is partly outside is clipped (without a word up to 0.01 pixels, which is
what rounding does). What a format cannot hold is reported and written as the closest that it can: polygon, mask, box.
Attributes that the import does not understand are kept with the label. Exports appear whole or not at all, and the same
labels give the same bytes.

Settings are given as `--set NAME=VALUE`, or as `settings={...}` in Python.
"""


def markdown() -> str:
    """Return the page."""
    parts = [_INTRO, _table()]
    parts.extend("\n".join(_section(made)) for made in registry.formats())
    return "\n".join(parts).rstrip() + "\n"


def _table() -> str:
    lines = ["| format | name | read | written |", "|---|---|---|---|"]
    for made in registry.formats():
        lines.append(f"| {made.title} | `{made.name}` | {_tick(made.reader)} | {_tick(made.writer)} |")
    return "\n".join(lines) + "\n"


def _tick(value: object) -> str:
    return "yes" if value is not None else "no"


def _section(made: Format) -> Iterator[str]:
    yield f"## {made.title} (`{made.name}`)\n\n{made.about}\n"
    if made.writer is not None:
        yield f"Writes a {made.out}. In its default settings it holds {_holds(made.writer.holds(WriteOptions()))}.\n"
    yield from _settings("Settings for reading", made.read_settings)
    yield from _settings("Settings for writing", made.write_settings)


def _settings(title: str, known: Mapping[str, str]) -> Iterator[str]:
    if known:
        rows = "\n".join(f"| `{name}` | {about} |" for name, about in known.items())
        yield f"| {title} | |\n|---|---|\n{rows}\n"


_KINDS = {
    Kind.CLASSIFICATION: "classes of whole images",
    Kind.BOX: "boxes",
    Kind.POLYGON: "polygons",
    Kind.MASK: "masks",
    Kind.KEYPOINTS: "keypoints",
    Kind.ELLIPSE: "ellipses",
}


def _holds(holds: Holds) -> str:
    polygons = Kind.POLYGON in holds.kinds
    besides = {
        "confidences": holds.confidence,
        "attributes": bool(holds.attributes),
        "holes in polygons": polygons and holds.holes,
        "polygons of several parts": polygons and holds.parts,
        "names of keypoints": Kind.KEYPOINTS in holds.kinds and holds.skeletons,
        "splits": holds.splits,
        "images without a label": holds.empty_images,
        "classes without a label": holds.unused_classes,
    }
    kinds = ", ".join(_KINDS[kind] for kind in sorted(holds.kinds))
    kept = ", ".join(name for name, kept in besides.items() if kept)
    without = set() if polygons else {"holes in polygons", "polygons of several parts"}
    without |= set() if Kind.KEYPOINTS in holds.kinds else {"names of keypoints"}
    lost = ", ".join(name for name, kept in besides.items() if not kept and name not in without)
    return kinds + (f"; {kept}" if kept else "") + (f"; not {lost}" if lost else "")


if __name__ == "__main__":
    print(markdown(), end="")
