"""Label formats: read them, write them, and report what was wrong or did not fit. No database, no projects.

>>> report = formats.ImportReport()
>>> for found in formats.read("instances.json", report=report):
...     print(found.name, len(found.labels))
>>> print(*report.summary(), sep="\\n")
"""

from countersign.formats.base import (
    Format,
    FoundImage,
    Guess,
    Holds,
    OwnIds,
    Reader,
    ReadOptions,
    SizeOf,
    WriteOptions,
    Writer,
)
from countersign.formats.registry import detect, formats, get, guesses, read, register, write
from countersign.formats.report import ExportReport, ImportReport, Problem, Severity

__all__ = [
    "ExportReport",
    "Format",
    "FoundImage",
    "Guess",
    "Holds",
    "ImportReport",
    "OwnIds",
    "Problem",
    "ReadOptions",
    "Reader",
    "Severity",
    "SizeOf",
    "WriteOptions",
    "Writer",
    "detect",
    "formats",
    "get",
    "guesses",
    "read",
    "register",
    "write",
]
