"""Teaching a model by the labels of a field, and following the training until it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from countersign.domain.image import Project
from countersign.domain.model import StoredModel
from countersign.learn.events import OnEvent
from countersign.learn.settings import TrainingSettings
from countersign.store import Store
from countersign.workbench.selecting import Images
