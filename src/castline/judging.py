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

    def __call__(self, shown: Shown, sights: Sequence[Sight]) -> list[Verdict]:
        """Return the verdicts on a clip, of these of its frames."""
        expected = expected_in(shown.clip)
        if expected:
            return score_take(sights, expected, self.known, self.calibration)
        found = score_take(sights, dict.fromkeys(self.known), self.known, self.calibration)
        return [verdict for verdict in found if verdict.state == "ok"] if self.calibration else []

    def is_unsure(self, verdict: Verdict) -> bool:
        """Say whether more frames may change it."""
        return is_unsure(verdict, self.calibration)


def measure(
    desk: Desk, shown: Sequence[Shown], frames: int, judge: Judge
) -> tuple[list[list[Verdict] | None], Count]:
    """Return the verdicts on each clip; those that are unsure are asked for more frames.

    None for a clip of which no frame could be looked at: nothing is known of it then.
    """
    looks = [_Look(each, spread(each.numbers, frames)) for each in shown]
    count = Count()
    _look_again(desk, judge, [(look, look.numbers) for look in looks], count)
    unsure = [look for look in looks if any(map(judge.is_unsure, look.verdicts or ()))]
    for look in unsure:
        look.numbers = spread(look.shown.numbers, frames * MORE)
    _look_again(desk, judge, [(look, look.numbers) for look in unsure], count)
    # The worst frame of each, by halving, all of them in every round.
    while more := [(look, numbers) for look in unsure if (numbers := look.beside_worst())]:
        _look_again(desk, judge, more, count)
    return [look.verdicts for look in looks], count


@dataclass
class _Look:
    """One clip, the frames that count for its verdicts, and all that were looked at."""

    shown: Shown
    numbers: Sequence[int]
    seen: dict[int, Sight] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    verdicts: list[Verdict] | None = None

    def judge(self, judge: Judge) -> None:
        """Judge by what is seen by now; frames besides count for the worst one alone."""
        here = [self.seen[number] for number in self.numbers if number in self.seen]
        if not here:
            return
        besides = [self.seen[n] for n in sorted(self.seen.keys() - set(self.numbers))]
        others = {each.character: each.matches for each in judge(self.shown, besides)}
        self.verdicts = [
            replace(each, beside=others.get(each.character, ()))
            for each in judge(self.shown, here)
        ]

    def beside_worst(self) -> list[int]:
        """Return frames beside the worst ones that nobody has looked at."""
        return sorted(
            {
                number
                for verdict in self.verdicts or ()
                for number in beside_worst(verdict, self.asked, self.shown.numbers)
            }
            - self.asked
        )


def _look_again(
    desk: Desk, judge: Judge, wanted: Sequence[tuple[_Look, Sequence[int]]], count: Count
) -> None:
    """Look at frames of clips, all at once, and judge the clips anew."""
    if not wanted:
        return
    sights, more = desk.look([desk.asked(look.shown, numbers) for look, numbers in wanted])
    count.add(more)
    for look, numbers in wanted:
        known = sights[look.shown.footage.sha256]
        look.asked |= set(numbers)
        look.seen |= {number: known[number] for number in numbers if number in known}
        look.judge(judge)


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
