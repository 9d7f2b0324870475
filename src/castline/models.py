"""Which model measures: what people chose, and the model that it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from castline.inference.packages import require_numpy
from castline.inference.subject import Model
from castline.schemas.errors import UsageError


@dataclass(frozen=True)
class Choice:
    """What finds and embeds; nothing chosen: faces, with the weights that packages ship."""

    light: bool = False
    """Faces from the front alone, without the CNN and without torch."""
    find: str | None = None
    """Folder or hub name of a zero-shot detector; None: the whole picture."""
    prompt: str = "character"
    """What it looks for."""
    embed: str | None = None
    """Folder or hub name of the model that embeds; None: faces."""
    pooling: str = "cls"
    revision: str | None = None
    """Commit of the embedding model, for a hub name."""
    precision: str = "auto"

    def check(self) -> None:
        """Raise `UsageError` for what does not go together."""
        if self.find and not self.embed:
            raise UsageError("--find: expected --embed too, the model that compares what is found")
        if self.light and self.embed:
            raise UsageError("--light: is for faces, and --embed names another model")


def make(choice: Choice) -> Model:
    """Return the model of a choice; raises `MissingDependencyError` and as loading does."""
    require_numpy()
    if choice.embed is None:
        from castline.inference.faces import FaceModel

        return FaceModel(light=choice.light)
    from castline.inference.embed.checkpoint import CheckpointEmbedder
    from castline.inference.figures import FigureModel

    embedder = CheckpointEmbedder(
        choice.embed,
        revision=choice.revision,
        pooling=choice.pooling,
        precision=choice.precision,
    )
    if choice.find is None:
        return FigureModel(embedder)
    from castline.inference.find.zeroshot import ZeroShotFinder

    return FigureModel(embedder, ZeroShotFinder(choice.find, prompt=choice.prompt))


def maker(choice: Choice) -> Callable[[], Model]:
    """Return what makes the model elsewhere: it can be sent to other processes."""
    return partial(make, choice)
