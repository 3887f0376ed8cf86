"""Loaded by every Python that has this folder on its path: makes the models of the tests known to it.

Runs and predictions live in processes of their own, which know a family of models only if it was registered there.
"""

from countersign.models import registry


def _family() -> registry.Family:
    from blobs import BlobFamily

    return BlobFamily()


def _parts() -> registry.Family:
    from blobs import PartsFamily

    return PartsFamily()


registry.register("blobs", _family)
registry.register("blobparts", _parts)


def _talker() -> registry.Family:
    from talker import TalkerFamily

    return TalkerFamily()


registry.register("talker", _talker)
