"""Image files: finding them, checking them, reading them upright. Projects, labels and models are not known here."""

from countersign.imaging.files import MISSING
from countersign.imaging.limits import Limits, default_limits
from countersign.imaging.probe import probe, probe_many
from countersign.imaging.read import read_bands, read_rgb, thumbnail
from countersign.imaging.scan import ENDINGS, scan

__all__ = [
    "ENDINGS",
    "MISSING",
    "Limits",
    "default_limits",
    "probe",
    "probe_many",
    "read_bands",
    "read_rgb",
    "scan",
    "thumbnail",
]
