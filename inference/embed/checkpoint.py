"""Vectors from any picture model of transformers: DINOv2 and v3, CLIP, SigLIP and their like."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from castline.inference import checkpoints
from castline.inference.checkpoints import MAX_DIMENSIONS, MAX_SIDE, Checkpoint
from castline.inference.embed import facecheckpoint
from castline.inference.specification import Specification
from castline.schemas.errors import InvalidValueError

POOLINGS = ("cls", "mean", "pooler", "image_features")
PRECISIONS = ("auto", "float32", "bfloat16")
BATCH = 8
"""Pictures at once. Measured with DINOv2-small: fewer or many more take longer each."""
SAME = 0.999
"""Cosine of a vector in bfloat16 with the one in float32, at least, for bfloat16 to be taken."""
_LONGEST = 4  # times the shorter side; what is beyond, a crop to the middle would not keep anyway
_SAMPLES = ((96, 96), (64, 160), (160, 64))


class CheckpointEmbedder:
    """Embeds pictures of any size with a checkpoint of transformers."""

    def __init__(
        self,
        source: str,
        *,
        revision: str | None = None,
        pooling: str = "cls",
        precision: str = "auto",
        size: int | None = None,
    ) -> None:
        """Load a checkpoint, from a folder or by its name on the hub, and try it.

        `pooling` is what of a model's answer is the vector: the class token, the mean of the
        patches, what the model pools itself, or what it compares with text. `precision` "auto" is
        bfloat16 where the CPU has it and the vectors stay the same, else float32. `size` is the
        side of the square that the model sees, in pixels, where not its own.

        Raises `InvalidValueError` and `UnreadableFileError` for what cannot be used, and
        `MissingDependencyError` without transformers.
        """
        _check_choice("pooling", pooling, POOLINGS)
        _check_choice("precision", precision, PRECISIONS)
        if size is not None and not 1 <= size <= MAX_SIDE:
            raise InvalidValueError(f"size: found {size}, expected 1 to {MAX_SIDE} pixels")
        checkpoint = checkpoints.resolve(source, revision)
        if checkpoint.model_type == facecheckpoint.MODEL_TYPE:
            facecheckpoint.register()
        import torch

        self._name, self._pooling = source, pooling
        self._processor = checkpoints.load_processor(checkpoint, "AutoImageProcessor")
        self._sizes = self._sizes_of(size)
        start = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._take(checkpoints.load_model(checkpoint, "AutoModel", start), size)
        vectors = self._try()
        if precision == "auto" and has_bfloat16():
            self._lower(vectors)
        self.dimensions = int(vectors.shape[1])
        self.specification = self._specify(checkpoint, size)

    def embed(self, pictures: Sequence[Any]) -> Any:
        """Return a float32 array, pictures x dimensions, of vectors of unit length.

        The pictures are uint8 arrays of any size, height x width x RGB. Raises
        `InvalidValueError` where a vector is no direction.
        """
        import numpy as np

        if not len(pictures):
            return np.zeros((0, self.dimensions), np.float32)
        batches = (pictures[at : at + BATCH] for at in range(0, len(pictures), BATCH))
        vectors = np.concatenate([self.run(self.prepare(each)) for each in batches])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise InvalidValueError(
                f"{self._name}: found a vector without length, expected numbers"
            )
        return vectors / lengths

    def prepare(self, pictures: Sequence[Any]) -> dict[str, Any]:
        """Return what the model takes for a batch of pictures, by name."""
        import torch

        kept = map(_kept, pictures) if self._is_cropped else pictures
        taken = dict(
            self._processor(images=checkpoints.images(kept), return_tensors="pt", **self._sizes)
        )
        pixels = taken["pixel_values"].to(self._model.dtype)
        if pixels.ndim == 4:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        return {**taken, "pixel_values": pixels}

    def run(self, taken: dict[str, Any]) -> Any:
        """Return a float32 array, pictures x dimensions, of vectors as the model gives them."""
        import torch

        with torch.inference_mode():
            if self._pooling == "image_features":
                answer = self._model.get_image_features(**taken, **self._options)
                vectors = getattr(answer, "pooler_output", answer)
            else:
                vectors = self._pooled(self._tower(**taken, **self._options), taken)
            return vectors.flatten(1).float().numpy()

    def _take(self, model: Any, size: int | None) -> None:
        import torch

        self._model = model.to(memory_format=torch.channels_last)
        self._tower = getattr(model, "vision_model", model)
        if self._pooling == "image_features" and not hasattr(model, "get_image_features"):
            raise InvalidValueError(f"{self._name}: pooling: found image_features, expected "
                                    f"another: {type(model).__name__} has none")  # fmt: skip
        known = inspect.signature(self._tower.forward).parameters
        is_stretched = size is not None and "interpolate_pos_encoding" in known
        self._options = {"interpolate_pos_encoding": True} if is_stretched else {}

    @property
    def _is_cropped(self) -> bool:
        return bool(getattr(self._processor, "do_center_crop", False))

    def _sizes_of(self, size: int | None) -> dict[str, dict[str, int]]:
        """Return how the processor is told of another size; a rim that it cuts off stays one."""
        if size is None:
            return {}
        own, square = dict(self._processor.size or {}), {"height": size, "width": size}
        if not own.get("shortest_edge"):
            if "height" not in own:
                raise InvalidValueError(f"{self._name}: size: found {size}, expected none: the "
                                        "processor makes pictures of many sizes")  # fmt: skip
            return {"size": square, **({"crop_size": square} if self._is_cropped else {})}
        if not self._is_cropped:
            return {"size": square}
        scale = own["shortest_edge"] / dict(self._processor.crop_size)["height"]
        return {"size": {"shortest_edge": round(size * scale)}, "crop_size": square}

    def _try(self) -> Any:
        """Return the vectors of a few pictures.

        Raises `InvalidValueError` where none come out, or none of bearable size.
        """
        taken = checkpoints.tried(self._name, lambda: self.prepare(_samples()))
        pixels = taken["pixel_values"]
        if pixels.ndim == 4 and max(pixels.shape[-2:]) > MAX_SIDE:
            raise InvalidValueError(f"{self._name}: found pictures of {max(pixels.shape[-2:])} "
                                    f"pixels, expected {MAX_SIDE} at most")  # fmt: skip
        vectors = checkpoints.tried(self._name, lambda: self.embed(_samples()))
        if vectors.shape[1] > MAX_DIMENSIONS:
            raise InvalidValueError(f"{self._name}: found vectors of {vectors.shape[1]} numbers, "
                                    f"expected {MAX_DIMENSIONS} at most")  # fmt: skip
        return vectors

    def _lower(self, exact: Any) -> None:
        """Go on in bfloat16, where the vectors stay the same."""
        import copy

        import torch

        model, tower = self._model, self._tower
        self._model = copy.deepcopy(model).to(torch.bfloat16)
        self._tower = getattr(self._model, "vision_model", self._model)
        if not are_same(exact, self._try()):
            self._model, self._tower = model, tower

    def _pooled(self, answer: Any, taken: dict[str, Any]) -> Any:
        if self._pooling == "pooler":
            if getattr(answer, "pooler_output", None) is None:
                raise self._unfit("a model that pools nothing")
            return answer.pooler_output
        tokens = answer.last_hidden_state
        if tokens.ndim == 4 and self._pooling == "mean":
            return tokens.mean((2, 3))
        if (mask := taken.get("pixel_attention_mask")) is not None:
            before, weights = 0, mask[..., None].to(tokens.dtype)
        else:
            before, weights = self._before(tokens, taken["pixel_values"]), None
        if self._pooling == "cls":
            if not before:
                raise self._unfit("a model without a class token")
            return tokens[:, 0]
        if weights is not None:
            return (tokens * weights).sum(1) / weights.sum(1)
        return tokens[:, before:].mean(1)

    def _before(self, tokens: Any, pixels: Any) -> int:
        """Return how many tokens stand before those of the patches: class token and registers."""
        patch = getattr(self._tower.config, "patch_size", None)
        sides = patch if isinstance(patch, list | tuple) else (patch, patch)
        if tokens.ndim == 3 and all(sides):
            rows, columns = (a // b for a, b in zip(pixels.shape[-2:], sides, strict=True))
            if tokens.shape[1] >= rows * columns:
                return int(tokens.shape[1] - rows * columns)
        raise self._unfit("a model without a token for each patch")

    def _unfit(self, found: str) -> InvalidValueError:
        return InvalidValueError(f"{self._name}: pooling {self._pooling}: found {found}, "
                                 "expected another pooling")  # fmt: skip

    def _specify(self, checkpoint: Checkpoint, size: int | None) -> Specification:
        return Specification.of(
            kind="checkpoint",
            source=checkpoint.source(),
            revision=checkpoint.revision,
            pooling=self._pooling,
            precision=str(self._model.dtype).removeprefix("torch."),
            backend="pil",
            size=size or "own",
        )


def has_bfloat16() -> bool:
    """Say whether the CPU multiplies bfloat16 faster than float32."""
    import torch

    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def are_same(exact: Any, others: Any) -> bool:
    """Say whether each vector of unit length has its like in the other array, in their order."""
    return bool(((exact * others).sum(1) >= SAME).all())


def _samples() -> list[Any]:
    """Return pictures of several shapes, the same each time: slopes of colour, and noise."""
    import numpy as np

    chance = np.random.default_rng(0)
    found = []
    for height, width in _SAMPLES:
        rows, columns = np.mgrid[0:height, 0:width]
        slope = np.stack([rows / height, columns / width, (rows + columns) % 32 / 32], axis=-1)
        noise = chance.random((height, width, 3))
        found.append((255 * (0.7 * slope + 0.3 * noise)).astype(np.uint8))
    return found


def _kept(picture: Any) -> Any:
    """Return the middle of a long picture, which else would grow beyond all bounds."""
    height, width = picture.shape[:2]
    longest = _LONGEST * min(height, width)
    top, left = (max(0, (side - longest) // 2) for side in (height, width))
    return picture[top : height - top, left : width - left]


def _check_choice(name: str, found: str, choices: tuple[str, ...]) -> None:
    if found not in choices:
        raise InvalidValueError(f"{name}: found {found!r:.40}, expected {', '.join(choices)}")
