"""Reading image files: finding, checking, decoding upright. Projects, labels and models are not known here."""

from countersign.imaging.probe import probe, probe_many
from countersign.imaging.read import read_bands, read_rgb, thumbnail
from countersign.imaging.scan import scan

__all__ = ["probe", "probe_many", "read_bands", "read_rgb", "scan", "thumbnail"]
