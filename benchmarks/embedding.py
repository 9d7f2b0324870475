"""What embedding with a checkpoint costs: in CPU seconds of one thread, against what is possible.

The model has the shape of DINOv2-small and weights from nowhere; what they are does not matter
for what it costs.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model, pipeline

from castline.inference import checkpoints
from castline.inference.embed.checkpoint import BATCH, CheckpointEmbedder, has_bfloat16

SIDE = 224
GFLOP = 12.25
"""Of one picture of 224 x 224 through DINOv2-small."""
SHARE = 0.65
"""Of the peak, at least."""
TIMES = 2.0
"""As many pictures as the pipeline of transformers, at least, where the CPU has bfloat16."""
ROUNDS = 7
PICTURES = 2 * BATCH
_MATRIX = 1024


def cpu(call: Callable[[], Any]) -> float:
    """Return the CPU seconds of a call."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    call()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def save(folder: Path) -> None:
    """Write a checkpoint with the shape of DINOv2-small."""
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=384, num_attention_heads=6, num_hidden_layers=12, image_size=518
    )
    with checkpoints.quiet():
        Dinov2Model(config).save_pretrained(folder)
    BitImageProcessorPil(
        size={"shortest_edge": 256}, crop_size={"height": SIDE, "width": SIDE}
    ).save_pretrained(folder)


def multiply(dtype: Any) -> Callable[[], Any]:
    """Return a call that multiplies two square matrices."""
    one, other = (torch.randn(_MATRIX, _MATRIX).to(dtype) for _ in range(2))
    return lambda: one @ other


def main() -> None:
    """Print the peak, the model's share of it, and pictures a second beside the pipeline's."""
    torch.set_num_threads(1)
    chance = np.random.default_rng(1)
    pictures = list(chance.integers(0, 256, (PICTURES, 256, 256, 3), np.uint8))
    images = checkpoints.images(pictures)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        embedder = CheckpointEmbedder(folder)
        with checkpoints.quiet():
            plain = pipeline("image-feature-extraction", model=folder, dtype=torch.float32)
    taken = embedder.prepare(pictures[:BATCH])
    calls: dict[str, tuple[Callable[[], Any], float]] = {
        "float32": (multiply(torch.float32), 2 * _MATRIX**3 / 1e9),
        "bfloat16": (multiply(torch.bfloat16), 2 * _MATRIX**3 / 1e9),
        "model": (lambda: embedder.run(taken), BATCH * GFLOP),
        "embedder": (lambda: embedder.embed(pictures), PICTURES),
        "pipeline": (lambda: [plain(each) for each in images[:BATCH]], BATCH),
    }
    if not has_bfloat16():
        del calls["bfloat16"]
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):  # in turns, so that a slow moment hits all
        for name, (call, work) in calls.items():
            repeats = 20 if name in ("float32", "bfloat16") else 1
            spent = cpu(lambda call=call, repeats=repeats: [call() for _ in range(repeats)])
            rates[name].append(repeats * work / spent)
    _print(rates, dict(embedder.specification.parts)["precision"])


def _print(rates: dict[str, list[float]], precision: str | float) -> None:
    best = {name: max(each) for name, each in rates.items()}
    middle = {name: statistics.median(each) for name, each in rates.items()}
    peak = best[str(precision)]
    for name in ("float32", "bfloat16"):
        if name in best:
            print(f"peak      {best[name]:6.1f} GFLOP a CPU second in {name}, "
                  f"median {middle[name]:.1f}")  # fmt: skip
    share = best["model"] / peak
    print(f"model     {best['model']:6.1f} GFLOP a CPU second in {precision}, median "
          f"{middle['model']:.1f}: {share:.2f} of the peak "
          f"({'within' if share >= SHARE else 'UNDER'} {SHARE:g})")  # fmt: skip
    times = best["embedder"] / best["pipeline"]
    says = f"the bar of {TIMES:g} is for CPUs with bfloat16"
    if "bfloat16" in best:
        says = f"{'within' if times >= TIMES else 'UNDER'} {TIMES:g}"
    print(f"pictures  {best['embedder']:6.2f} a CPU second; pipeline "
          f"{best['pipeline']:.2f}: {times:.2f} times as many ({says})")  # fmt: skip


if __name__ == "__main__":
    main()
