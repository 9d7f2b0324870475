"""Opening a scene with all that it brings in; run in the child.

Nothing is saved: what stands in the way of reading is taken out of the layers in memory.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from castline.adapters.paths import plain_path
from castline.adapters.usd import guard, library
from castline.adapters.usd.scene.facts import problem
from castline.schemas.errors import UnreadableFileError

MAX_LAYERS = 50_000
MAX_PRIMS = 500_000


def open_scene(path: str, problems: list[list[str]], *, payloads: bool = False) -> Any:
    """Return the stage of a file, its payloads loaded only if asked for.

    What is wrong with it and can be lived with is added to `problems`. Raises
    `UnreadableFileError` for what is no sound scene, or one of more than `MAX_LAYERS` layers.
    """
    from pxr import Sdf, Tf

    guard.check_scene(Path(path))
    file = str(plain_path(Path(path)))
    with guard.reading(path):
        try:
            root = Sdf.Layer.FindOrOpen(file)
        except Tf.ErrorException as error:
            root = _open_without_rate(file, error, problems)
        if root is None:
            raise UnreadableFileError(f"{path}: found no USD that can be opened")
        _mend_rate(root, problems, path)
        stage = _compose(root, file, problems, payloads=payloads)
        layers = stage.GetUsedLayers()
        if len(layers) > MAX_LAYERS:
            raise UnreadableFileError(f"{path}: found more than {MAX_LAYERS} layers")
        for layer in layers:
            if layer != root:
                _mend_rate(layer, problems, layer.identifier)
    return stage


def _compose(root: Any, file: str, problems: list[list[str]], *, payloads: bool) -> Any:
    """Return the stage of a layer.

    What is damaged below it is one of its composition errors, but files of value clips, which USD
    does without: of these it raises, and the stage is only to be had from a cache.
    """
    from pxr import Tf, Usd

    cache = Usd.StageCache()
    load = Usd.Stage.LoadAll if payloads else Usd.Stage.LoadNone
    with Usd.StageCacheContext(cache):
        try:
            return Usd.Stage.Open(root, sessionLayer=None, load=load)
        except Tf.ErrorException as error:
            stage = cache.FindOneMatching(root)
            if not stage:
                raise
            reason = library.reason(error).replace(f"{Path(file).parent}/", "")
            problems.append(problem("clip", "/", reason))
            return stage


def _open_without_rate(path: str, error: Exception, problems: list[list[str]]) -> Any:
    """Return the layer of USD text whose frames a second USD does not take."""
    from pxr import Sdf

    text = guard.without_refused_rate(Path(path).read_text(encoding="utf-8"), error)
    layer = Sdf.Layer.New(Sdf.FileFormat.FindById("usda"), path)
    layer.ImportFromString(text)
    reason = "found a framesPerSecond of 0 or below, which USD does not open; taken as not said"
    problems.append(problem("rate", "/", reason))
    return layer


def _mend_rate(layer: Any, problems: list[list[str]], place: str) -> None:
    """Take a rate that is none out of a layer: with 0, USD looks for time samples for ever."""
    if not layer.HasTimeCodesPerSecond():
        return
    rate = layer.timeCodesPerSecond
    if math.isfinite(rate) and rate > 0:
        return
    layer.ClearTimeCodesPerSecond()
    name = Path(place).name
    reason = f"found timeCodesPerSecond {rate:g}, expected more than 0; taken as not said"
    problems.append(problem("rate", name, reason))
