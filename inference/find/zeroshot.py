"""Figures found by what they are called, with OWLv2 or Grounding DINO."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from typing import Any

from castline.inference import checkpoints
from castline.inference.find.box import Box, Found, surest
from castline.inference.specification import Specification
from castline.schemas.errors import InvalidValueError, MissingDependencyError, UnreadableFileError

SAME = 0.7
"""Boxes that overlap more are one figure, the surer one."""
MAX_PROMPT = 200
"""Characters."""
_SQUARE = frozenset({"owlv2"})
_SENTENCE = frozenset({"grounding-dino", "mm-grounding-dino"})


class ZeroShotFinder:
    """Finds what a few words name, with a checkpoint of transformers."""

    def __init__(
        self,
        source: str,
        *,
        prompt: str = "character",
        threshold: float = 0.25,
        revision: str | None = None,
    ) -> None:
        """Load a checkpoint, from a folder or by its name on the hub, and try it.

        Raises `InvalidValueError` and `UnreadableFileError` for what cannot be used, and
        `MissingDependencyError` without transformers.
        """
        if not prompt.strip(" .") or len(prompt) > MAX_PROMPT:
            raise InvalidValueError(
                f"prompt: found {prompt!r:.40}, expected 1 to {MAX_PROMPT} characters"
            )
        if not 0 <= threshold <= 1:
            raise InvalidValueError(f"threshold: found {threshold}, expected 0 to 1")
        checkpoint = checkpoints.resolve(source, revision)
        self._is_sentence = checkpoint.model_type in _SENTENCE
        if checkpoint.model_type not in _SQUARE | _SENTENCE:
            raise UnreadableFileError(f"{source}: config.json: found model_type "
                                      f"{checkpoint.model_type!r:.60}, expected "
                                      f"{', '.join(sorted(_SQUARE | _SENTENCE))}")  # fmt: skip
        if not self._is_sentence and importlib.util.find_spec("scipy") is None:
            # It makes pictures smaller in a way of its own, with scipy.
            raise MissingDependencyError("pip install 'castline[torch]'")
        import numpy as np
        import torch

        self._threshold = threshold
        self._processor = checkpoints.load_processor(checkpoint, "AutoProcessor")
        automatic = "AutoModelForZeroShotObjectDetection"
        self._model = checkpoints.load_model(checkpoint, automatic, torch.float32)
        words = prompt.strip().lower().rstrip(".") + "."
        self._text: Any = words if self._is_sentence else [[prompt.strip()]]
        blank = np.zeros((64, 64, 3), np.uint8)
        checkpoints.tried(source, lambda: self.find([blank]))
        self.specification = Specification.of(
            kind="zero shot",
            source=checkpoint.source(checkpoints.TOKENS),
            revision=checkpoint.revision,
            prompt=prompt.strip(),
            threshold=threshold,
            same=SAME,
            backend="pil",
        )

    def find(self, pictures: Sequence[Any]) -> list[list[Found]]:
        """Return the figures in each picture, the surest first.

        The pictures are uint8 arrays of any size, height x width x RGB. Each is looked at alone:
        beside a larger one it would be padded, and other boxes come out.
        """
        return [self._look(picture) for picture in pictures]

    def _look(self, picture: Any) -> list[Found]:
        import torch

        taken = self._processor(
            images=checkpoints.images([picture]), text=self._text, return_tensors="pt"
        )
        with torch.inference_mode():
            answer = self._model(**taken)
        options: dict[str, Any] = {"threshold": self._threshold}
        if self._is_sentence:
            options |= {"text_threshold": self._threshold, "input_ids": taken["input_ids"]}
        height, width = picture.shape[:2]
        (found,) = self._processor.post_process_grounded_object_detection(
            answer, target_sizes=[(height, width)], **options
        )
        pairs = zip(found["boxes"].tolist(), found["scores"].tolist(), strict=True)
        boxes = ((_clipped(edges, height, width), score) for edges, score in pairs)
        return surest((Found(box, score) for box, score in boxes if box is not None), SAME)


def _clipped(edges: Sequence[float], height: int, width: int) -> Box | None:
    """Return the pixels within edges: left, top, right, bottom; None where there are none."""
    if not all(map(math.isfinite, edges)):
        return None
    left, right = (min(max(math.floor(edge + 0.5), 0), width) for edge in edges[::2])
    top, bottom = (min(max(math.floor(edge + 0.5), 0), height) for edge in edges[1::2])
    return Box(left, top, right - 1, bottom - 1) if left < right and top < bottom else None
