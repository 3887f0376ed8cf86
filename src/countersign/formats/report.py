"""What an import or export met: what was skipped, what was changed, what is worth a note.

A report counts every problem but keeps only the first examples of each reason, so that a million broken
labels need no more memory than twenty. It does not know formats or projects, and it prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from countersign.domain.label import LabelClass

EXAMPLES = 20
"""How many examples of one reason a report keeps."""

_REASONS = 500  # reasons are short fixed phrases; should a format ever make them up, memory stays bounded


class Severity(StrEnum):
    """What became of the thing that has the problem."""

    SKIPPED = "skipped"  # it is not in the result
    CHANGED = "changed"  # it is in the result, but not as it was
    NOTE = "note"  # it is in the result as it was; somebody may want to know


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. ``reason`` is a short fixed phrase (the key of the counts); ``where`` a line or an id."""

    severity: Severity
    reason: str
    file: str = ""
    where: str = ""
    detail: str = ""

    def __str__(self) -> str:
        place = f"{self.file} ({self.where})" if self.file and self.where else self.file or self.where
        text = f"{self.severity}: {self.reason}" + (f": {self.detail}" if self.detail else "")
        return f"{place}: {text}" if place else text

    def to_data(self) -> dict[str, str]:
        return {
            "severity": self.severity.value,
            "reason": self.reason,
            "file": self.file,
            "where": self.where,
            "detail": self.detail,
        }


@dataclass(slots=True)
class _Tally:
    count: int = 0
    examples: list[Problem] = field(default_factory=list)


class Report:
    """Counts problems by severity and reason; keeps the first ``EXAMPLES`` of each reason."""

    def __init__(self) -> None:
        self.format = ""
        self.images = 0
        self.labels = 0
        self._tallies: dict[tuple[Severity, str], _Tally] = {}

    def skipped(self, reason: str, *, file: object = "", where: object = "", detail: str = "", count: int = 1) -> None:
        """Something is not in the result."""
        self._add(Severity.SKIPPED, reason, file, where, detail, count)

    def changed(self, reason: str, *, file: object = "", where: object = "", detail: str = "", count: int = 1) -> None:
        """Something is in the result, but not as it was."""
        self._add(Severity.CHANGED, reason, file, where, detail, count)

    def note(self, reason: str, *, file: object = "", where: object = "", detail: str = "", count: int = 1) -> None:
        """Something is in the result as it was, and somebody may want to know about it."""
        self._add(Severity.NOTE, reason, file, where, detail, count)

    @property
    def problems(self) -> list[Problem]:
        """The examples kept, in the order in which their reasons first appeared."""
        return [problem for tally in self._tallies.values() for problem in tally.examples]

    @property
    def counts(self) -> dict[tuple[Severity, str], int]:
        """How often each (severity, reason) happened."""
        return {key: tally.count for key, tally in self._tallies.items()}

    def count(self, severity: Severity | None = None, reason: str | None = None) -> int:
        """How many problems there are of this severity and reason; of all of them if not given."""
        return sum(
            tally.count
            for (level, why), tally in self._tallies.items()
            if severity in (None, level) and reason in (None, why)
        )

    def summary(self) -> Iterator[str]:
        """Yield a line for the whole, then one per reason with its count and first example."""
        yield self._headline()
        for (severity, reason), tally in self._tallies.items():
            first = tally.examples[0] if tally.examples else None
            place = (
                " ".join(part for part in (first.file, f"({first.where})" if first.where else "") if part)
                if first
                else ""
            )
            detail = f": {first.detail}" if first and first.detail else ""
            lead = "e.g. " if tally.count > 1 else ""
            tail = f" [{lead}{place}{detail}]" if place or detail else ""
            yield f"  {tally.count:,} {severity}: {reason}{tail}"

    def to_data(self) -> dict[str, Any]:
        """Return JSON values: totals, and per reason its severity, count and examples."""
        return {
            "format": self.format,
            "images": self.images,
            "labels": self.labels,
            "problems": [
                {
                    "severity": severity.value,
                    "reason": reason,
                    "count": tally.count,
                    "examples": [example.to_data() for example in tally.examples],
                }
                for (severity, reason), tally in self._tallies.items()
            ],
        }

    def _headline(self) -> str:
        return f"{self.labels:,} labels on {self.images:,} images" + (f" ({self.format})" if self.format else "")

    def _add(self, severity: Severity, reason: str, file: object, where: object, detail: str, count: int) -> None:
        tally = self._tallies.get((severity, reason))
        if tally is None:
            if len(self._tallies) >= _REASONS:
                reason = "other problems"
            tally = self._tallies.setdefault((severity, reason), _Tally())
        tally.count += count
        if len(tally.examples) < EXAMPLES:
            tally.examples.append(Problem(severity, reason, str(file), str(where), detail))


class ImportReport(Report):
    """What reading label files met. ``classes`` are those of the files, in their order, also unused ones."""

    def __init__(self) -> None:
        super().__init__()
        self._classes: dict[str, LabelClass] = {}

    @property
    def classes(self) -> list[LabelClass]:
        return list(self._classes.values())

    def add_class(self, found: LabelClass | str) -> None:
        """Say that the files know a class. The first description of a name stays, unless it lacked keypoints."""
        found = LabelClass(found) if isinstance(found, str) else found
        known = self._classes.get(found.name)
        if known is None or (found.keypoint_names and not known.keypoint_names):
            self._classes[found.name] = found

    def to_data(self) -> dict[str, Any]:
        return {**super().to_data(), "classes": [found.name for found in self.classes]}


class ExportReport(Report):
    """What writing label files met: above all, what the format cannot hold. ``files`` counts those written."""

    def __init__(self) -> None:
        super().__init__()
        self.files = 0

    def to_data(self) -> dict[str, Any]:
        return {**super().to_data(), "files": self.files}
