"""The training itself: plan, build, step until the time or the epochs are over, keep the best, return a model."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from countersign.domain.errors import Cancelled, ModelError
from countersign.learn import card as cards
from countersign.learn import device as devices
from countersign.learn import evaluate, light, losses
from countersign.learn import plan as planning
from countersign.learn.augment import Variation
from countersign.learn.backbone import RANDOM
from countersign.learn.data import ExampleStore, TrainingImage
from countersign.learn.events import Event, Finished, Notice, OnEvent, Planned, Progress, Scored
from countersign.learn.loader import Batch, Loader
from countersign.learn.network import Network, NetworkSpec, build
from countersign.learn.predict import Recipe, TrainedModel
from countersign.learn.schedule import Schedule, rate, side
from countersign.learn.settings import TrainingSettings

WEIGHT_DECAY = 0.01
CLIP = 10.0
"""Longest gradient that a step follows."""
AVERAGE = 0.98
"""Decay of the averaged weights, which are what is scored and kept; shorter at the beginning."""
SCORE_SHARE = 0.1
"""Share of the time so far that scoring on held-out images may take."""
REPORT_EVERY = 0.25
"""Seconds between two reports of progress at the least."""
PATIENCE = 20
"""Steps with a loss that is no number, one after the other, after which a training gives up."""
NEGATIVES = 0.2
"""Share of pictures shown as negatives, where that helps."""
LOOKED_AT = 24
"""Images that decide whether it does."""
MOST_TILES = 16
"""Tiles of one image in one epoch at the most."""


def fit(
    images: Sequence[TrainingImage],
    classes: Sequence[str] = (),
    settings: TrainingSettings | None = None,
    *,
    name: str = "model",
    on_event: OnEvent | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> TrainedModel:
    """Teach a network and return it.

    ``classes`` are the names to learn, in the order of the model's vocabulary; empty means all of the labels.
    ``should_cancel`` is asked before every step: when it says True, the best so far is returned. Raises InvalidInput
    where there is nothing to learn from, SettingsError for a backbone that cannot be used, Cancelled if nothing was
    learned before it was asked to stop, ModelError if the training diverges.
    """
    settings = settings or TrainingSettings()
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        training = _Training(settings, on_event or _ignore, should_cancel or _never, clock)
        return training.run(images, classes, name, device)


def _ignore(_: Event) -> None:
    """Report to nobody."""


def _never() -> bool:
    return False


@dataclass(slots=True)
class _Best:
    """The best model so far by its held-out score."""

    value: float = -1.0
    scores: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)


class _Training:
    """One training while it goes on."""

    def __init__(
        self,
        settings: TrainingSettings,
        on_event: OnEvent,
        should_cancel: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self.settings, self.tell, self.should_cancel = settings, on_event, should_cancel
        self.schedule = Schedule(0, settings.budget, clock)
        self.best = _Best()
        self.step = 0
        self.notices: list[Notice] = []
        self.losses: dict[str, float] = {}
        self.score_seconds = 0.0
        self.reported = -1.0
        self.scored_at = 0.0
        self.score_name = ""

    def run(
        self, images: Sequence[TrainingImage], classes: Sequence[str], name: str, device: str | None
    ) -> TrainedModel:
        self.plan = planning.make(images, classes, self.settings)
        self.device = devices.choose(device)
        self._build(name)
        self.notice("plan", *self.plan.notices)
        plan = self.plan
        self.tell(
            Planned(
                plan.heads,
                plan.vocabulary.all,
                len(plan.train),
                len(plan.held_out),
                plan.view.longest,
                plan.view.tiled,
                devices.describe(self.device),
            )
        )
        cancelled = self._learn()
        if self.step == 0:
            raise Cancelled("the training was cancelled before it had learned anything")
        return self._finish(cancelled)

    def notice(self, topic: str, *texts: str) -> None:
        for text in texts:
            self.notices.append(Notice(topic, text))
            self.tell(self.notices[-1])

    def _build(self, name: str) -> None:
        vocabulary, settings = self.plan.vocabulary, self.settings
        spec = NetworkSpec(
            settings.backbone,
            self.plan.view.canvas,
            len(vocabulary.boxes),
            len(vocabulary.paints),
            len(vocabulary.tags),
            detail=vocabulary.painting,
        )
        network, self.info = build(spec, pretrained=settings.pretrained, weights=settings.weights)
        self.notice("weights", *self.info.notices)
        self.spec = replace(spec, all_stages=self.info.pretrained != RANDOM)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.average: Network = copy.deepcopy(network).eval().requires_grad_(False)
        # Four looks at one picture say more about a border than one; worth it where there is nothing but borders.
        self.turns = settings.turning == "any" or (settings.turning == "auto" and self.info.pretrained == RANDOM)
        flips = vocabulary.painting and self.turns
        if flips:
            self.notice("masks", "predictions are the mean over a picture and its three mirror images: four looks each")
        recipe = Recipe(vocabulary, self.plan.view, self.info.fixed, self.plan.multi_tag, flips)
        self.model = TrainedModel(
            self.average,
            recipe,
            cards.describe(name, self.plan, settings, self.info, self.spec, recipe, self.device),
            str(self.device),
        )
        self.optimizer = _optimizer(self.network, settings.learning_rate)

    def _learn(self) -> bool:
        """Step until it is over; return whether it was cancelled."""
        plan, settings = self.plan, self.settings
        self.epoch_steps = -(-len(plan.train) * _views(plan) // settings.batch_size)
        self.schedule.steps = settings.epochs * self.epoch_steps
        store = ExampleStore(
            plan.train,
            plan.vocabulary,
            [_longest(image, plan) for image in plan.train],
            settings.unpainted,
            plan.view.levels,
        )
        loader = Loader(
            store,
            plan.view,
            self.spec,
            Variation(turns=self.turns, negative=self._negatives(store), reflect=plan.view.reflect),
            batch_size=settings.batch_size,
            canvas=self._canvas,
            seed=settings.seed,
            threads=1 if self.device.type == "cpu" else max(1, min(8, (os.cpu_count() or 2) - 1)),
        )
        broken = 0
        told: set[str] = set()
        with loader:
            while not self.schedule.over(self.step, reserve=self._reserve()):
                if self.should_cancel():
                    return True
                sound = self._step(loader.next())
                broken = 0 if sound else broken + 1
                if broken > PATIENCE:
                    raise ModelError("the training diverges", remedy="Try a lower learning rate.")
                for failed in store.failed.keys() - told:
                    self.notice("image", f"left out: {store.failed[failed]}")
                    told.add(failed)
                self._report()
                self._maybe_score()
        return False

    def _negatives(self, store: ExampleStore) -> float:
        """Share of negatives among the pictures: some, where the images are of both kinds and weights know neither."""
        if self.info.pretrained != RANDOM:
            return 0.0
        seen = [store.get(index) for index in range(min(LOOKED_AT, len(store)))]
        if not light.mixed([example.pixels for example in seen if example is not None]):
            return 0.0
        self.notice("light", "some images are bright on dark and others dark on bright: it learns from negatives too")
        return NEGATIVES

    def _canvas(self) -> tuple[int, int]:
        """The (height, width) of the next batch: small at first, where the backbone takes any size."""
        view = self.plan.view
        if self.info.fixed:
            return view.canvas
        factor = side(self.schedule.done(self.step), max(view.canvas)) / max(view.canvas)
        height, width = (max(32, round(length * factor / 32) * 32) for length in view.canvas)
        return height, width

    def _step(self, batch: Batch) -> bool:
        """Learn from one batch; return whether the loss was a number."""
        done = self.schedule.done(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate(done)
        self.network.train()
        pixels, targets = _to_device(batch, self.device)
        with devices.autocast(self.device):
            out = self.network(pixels)
        parts = losses.compute(out, targets, multi_tag=self.plan.multi_tag)
        total = torch.stack(list(parts.values())).sum()
        sound = bool(torch.isfinite(total))
        if sound:
            total.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            self.optimizer.step()
            self._follow()
            for head, value in parts.items():
                now = float(value.detach())
                self.losses[head] = 0.9 * self.losses.get(head, now) + 0.1 * now
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.schedule.tick()
        return sound

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights towards the present ones."""
        decay = min(AVERAGE, self.step / (self.step + 10.0))
        mine, others = self.average.state_dict(), self.network.state_dict()
        floating = [key for key, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[key] for key in floating], [others[key] for key in floating], 1 - decay)

    def _report(self) -> None:
        elapsed = self.schedule.elapsed
        if elapsed - self.reported < REPORT_EVERY:
            return
        self.reported = elapsed
        name, value = self._last_score()
        total = self.schedule.total_steps(self.step)
        self.tell(
            Progress(
                min(self.step // self.epoch_steps + 1, max(1, -(-total // self.epoch_steps))),
                max(1, -(-total // self.epoch_steps)),
                self.step,
                self.schedule.done(self.step),
                dict(self.losses),
                elapsed,
                self.schedule.left(self.step),
                value,
                name,
            )
        )

    def _last_score(self) -> tuple[str, float | None]:
        return (self.score_name, self.best.value) if self.best.scores else ("", None)

    def _reserve(self) -> float:
        """Seconds that the last scoring will take."""
        return self.score_seconds if self.plan.held_out else 0.0

    def _maybe_score(self) -> None:
        """Score now and then, in the second half, as long as that takes a small part of the time."""
        done = self.schedule.done(self.step)
        if not self.plan.held_out or not 0.5 <= done < 0.95:
            return
        due = 0.5 if not self.best.scores else self.scored_at + 0.15
        if done >= due and self.score_seconds <= SCORE_SHARE * self.schedule.elapsed:
            self._score()
            self.scored_at = done

    def _score(self) -> None:
        started = time.perf_counter()
        found = evaluate.score(self.model, self.plan.held_out)
        self.score_seconds = time.perf_counter() - started
        self.score_name, value = found.main
        better = value >= self.best.value
        if better:
            weights = {key: tensor.clone() for key, tensor in self.average.state_dict().items()}
            self.best = _Best(value, found.to_data(), weights)
        self.tell(Scored(self.step, found.to_data(), better, len(self.plan.held_out)))

    def _finish(self, cancelled: bool) -> TrainedModel:
        # Cancelled means now: what has not been scored by then is not.
        if self.plan.held_out and not cancelled:
            self._score()
        if self.best.weights:
            self.average.load_state_dict(self.best.weights)
        scores = dict(self.best.scores)
        elapsed = self.schedule.elapsed
        card = replace(self.model.card, scores=scores)
        data: dict[str, Any] = {"steps": self.step, "seconds": round(elapsed, 1), "cancelled": cancelled}
        data["notices"] = [f"{item.topic}: {item.text}" for item in self.notices]
        model = self.model.with_card(replace(card, details={**card.details, "outcome": data}))
        self.tell(Finished(self.step, elapsed, cancelled, scores))
        return model


def _views(plan: planning.Plan) -> int:
    """How many views of each image belong to an epoch: tiles, on average, or one."""
    if not plan.view.tiled:
        return 1
    side_pixels = max(plan.view.canvas) / plan.view.scale
    counts = [max(1.0, image.width * image.height / side_pixels**2) for image in plan.train]
    return max(1, min(MOST_TILES, round(sum(counts) / len(counts))))


def _longest(image: TrainingImage, plan: planning.Plan) -> int:
    """Longer side at which an image is kept for training, in pixels."""
    largest = max(image.width, image.height)
    wanted = largest * plan.view.scale if plan.view.tiled else plan.view.longest
    return min(largest, max(1, round(wanted)))


def _optimizer(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019); norms and biases are not decayed."""
    parameters = [value for value in network.parameters() if value.requires_grad]
    groups = [
        {"params": [value for value in parameters if value.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [value for value in parameters if value.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), fused=True)


def _to_device(batch: Batch, device: torch.device) -> tuple[Tensor, Any]:
    if device.type == "cpu":
        return batch.pixels, batch.targets

    def move(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.pin_memory().to(device, non_blocking=True)

    found = type(batch.targets)(
        **{name: move(getattr(batch.targets, name)) for name in batch.targets.__dataclass_fields__}
    )
    moved = move(batch.pixels)
    assert moved is not None
    return moved, found
