"""Looking at a cut's clips and judging what is seen, with second looks where that is unsure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opentimelineio import schema

from castline.footage import Shown
from castline.inference.cache import Cache
from castline.inference.calibration import Calibration
from castline.inference.frames import spread
from castline.inference.given import Given
from castline.inference.measure import Asked, Count, Engine, look_at
from castline.inference.score import Known, Verdict, beside_worst, is_unsure, score_take
from castline.inference.subject import Model, Sight
from castline.schemas.places import get_slot

MORE = 3
"""So many times as many frames are looked at where the first leave a verdict unsure."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Desk:
    """With what a cut is looked at."""

    model: Model
    store: Cache
    engine: Engine | None = None
    """Where the model looks; None: here."""
    given: Given = field(default_factory=Given)
    """Boxes that people gave."""
    progress: Progress | None = None

    def asked(self, each: Shown, numbers: Sequence[int]) -> Asked:
        """Return frames of what a clip shows, with the boxes that are given for it."""
        boxes = self.given.of(each.footage.sha256, each.footage.path.name)
        return Asked(each.footage, tuple(numbers), boxes)

    def look(self, asked: Sequence[Asked]) -> tuple[dict[str, dict[int, Sight]], Count]:
        """Return what is seen in the frames, and tell how far it is."""
        tell = _teller(asked, self.progress)
        return look_at(asked, self.model, self.store, engine=self.engine, tell=tell)


@dataclass(frozen=True)
class Judge:
    """By what is judged."""

    known: Mapping[str, Known]
    calibration: Calibration | None

    def __call__(
        self,
        shown: Shown,
        numbers: Sequence[int],
        sights: Mapping[str, Mapping[int, Sight]],
    ) -> list[Verdict]:
        """Return the verdicts on a clip, of those of the frames that were seen."""
        seen = sights[shown.footage.sha256]
        here = [seen[number] for number in numbers if number in seen]
        expected = expected_in(shown.clip)
        if expected:
            return score_take(here, expected, self.known, self.calibration)
        found = score_take(here, dict.fromkeys(self.known), self.known, self.calibration)
        return [verdict for verdict in found if verdict.state == "ok"] if self.calibration else []

    def is_unsure(self, verdict: Verdict) -> bool:
        """Say whether more frames may change it."""
        return is_unsure(verdict, self.calibration)


def measure(
    desk: Desk, shown: Sequence[Shown], frames: int, judge: Judge
) -> tuple[list[list[Verdict]], Count]:
    """Return the verdicts on each clip; those that are unsure are asked for more frames."""
    looked = [spread(each.numbers, frames) for each in shown]
    sights, count = desk.look([desk.asked(*pair) for pair in zip(shown, looked, strict=True)])
    found = [judge(*each, sights) for each in zip(shown, looked, strict=True)]
    unsure = [n for n, each in enumerate(found) if any(map(judge.is_unsure, each))]
    if unsure:
        few = [shown[place] for place in unsure]
        numbers = [spread(each.numbers, frames * MORE) for each in few]
        seen, more = desk.look([desk.asked(*pair) for pair in zip(few, numbers, strict=True)])
        count.add(more)
        for place, each, those in zip(unsure, few, numbers, strict=True):
            found[place] = _find_worst(desk, judge, each, those, seen, count)
    return found, count


def _find_worst(
    desk: Desk,
    judge: Judge,
    shown: Shown,
    numbers: Sequence[int],
    sights: Mapping[str, Mapping[int, Sight]],
    count: Count,
) -> list[Verdict]:
    """Return the verdicts of frames, with the worst one looked for between them."""
    media = shown.footage.sha256
    seen = dict(sights[media])
    verdicts = judge(shown, numbers, {media: seen})
    looked = set(numbers)
    while (
        more := {
            number for each in verdicts for number in beside_worst(each, looked, shown.numbers)
        }
        - looked
    ):
        found, added = desk.look([desk.asked(shown, sorted(more))])
        count.add(added)
        seen |= found[media]
        looked |= more
        besides = judge(shown, sorted(looked - set(numbers)), {media: seen})
        by_name = {each.character: each.matches for each in besides}
        verdicts = [replace(v, beside=by_name.get(v.character, ())) for v in verdicts]
    return verdicts


def expected_in(clip: schema.Clip) -> dict[str, str | None]:
    """Return whom the slot expects, with the look of each."""
    slot = get_slot(clip)
    return {each.character_id: each.look_id for each in slot.expected} if slot else {}


def _teller(asked: Sequence[Asked], progress: Progress | None) -> Callable[[int], None]:
    total = len({(each.footage.sha256, number) for each in asked for number in each.numbers})
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total, "frames")

    return tell
