"""Checkpoints of transformers: a folder or a name on the hub, looked through before it is loaded.

A checkpoint is made by others. So its files are judged first, as plain data: weights must be
safetensors, which cannot hold code, the configuration may not ask for code, for other files or for
more than a person would want, and every weight of the model must be there.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from castline.inference.jsonfile import read_json
from castline.inference.packages import require_torch
from castline.inference.specification import hash_of
from castline.schemas.errors import (
    CastlineError,
    InvalidValueError,
    MissingDependencyError,
    UnreadableFileError,
)

MAX_SIDE = 2048
"""Of a picture that a model takes, in pixels."""
MAX_DIMENSIONS = 16384
"""Of a vector, and of what is as wide inside a model."""
TOKENS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
)
"""Files that say how text becomes numbers."""
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json")
_CONFIG = "config.json"
_PICTURES = ("preprocessor_config.json", "processor_config.json")
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_ADVICE = "pip install 'castline[torch]'"
_MAX_JSON = 16 << 20  # bytes; the index of a large model has one
_MAX_LAYERS = 256
_SLACK = 1 << 20  # weights; a model without any of its own still has room for what it is made with
_FOREIGN = frozenset({"auto_map", "quantization_config", "transformers_weights"})
_WIDTHS = frozenset({"hidden_size", "embed_dim", "projection_dim", "d_model", "hidden_sizes"})
_COUNTS = ("layers", "depth", "num_experts", "num_stages")
_SIDES = frozenset({"size", "crop_size", "pad_size"})


@dataclass(frozen=True)
class Checkpoint:
    """A folder that was looked through and may be loaded."""

    name: str
    """As it was given."""
    folder: Path
    revision: str
    """The commit on the hub, empty for a folder that was given."""
    config: Mapping[str, Any]
    weights: tuple[Path, ...]
    """Its safetensors files."""

    @property
    def model_type(self) -> str:
        """Return what transformers calls the architecture."""
        return str(self.config["model_type"])

    def source(self, also: tuple[str, ...] = ()) -> str:
        """Return where it is from: its name on the hub, for a folder a SHA-256 of what it holds.

        The hash is of the files that decide what comes out, not of where they lie; `also` names
        more of them.
        """
        if self.revision:
            return self.name
        names = (_CONFIG, *_PICTURES, *also)
        paths = [self.folder / name for name in names if (self.folder / name).is_file()]
        lines = [f"{path.name} {hash_of(path)}\n" for path in [*paths, *self.weights]]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def require_transformers() -> Any:
    """Return transformers; raises `MissingDependencyError` where it is not installed."""
    require_torch()
    try:
        import PIL.Image  # noqa: F401 - transformers brings pictures to size with it
        import transformers
    except ImportError:
        raise MissingDependencyError(_ADVICE) from None
    return transformers


def resolve(source: str, revision: str | None = None) -> Checkpoint:
    """Return the checkpoint of a folder; what is no folder is a name on the hub, and is fetched.

    Raises `UnreadableFileError` for what cannot be read safely, `InvalidValueError` for a
    configuration out of bounds, and `MissingDependencyError` without transformers.
    """
    require_transformers()
    folder, commit = Path(source), ""
    if folder.is_dir():
        if revision is not None:
            raise InvalidValueError(f"{source}: found revision {revision!r}, expected none: "
                                    "a folder has no revisions")  # fmt: skip
    else:
        folder = _fetched(source, revision)
        commit = folder.name
    weights = _weights(source, folder)
    config = _object(folder / _CONFIG, source)
    _check_config(source, config)
    _check_pictures(source, folder)
    return Checkpoint(source, folder, commit, config, weights)


def load_model(checkpoint: Checkpoint, automatic: str, dtype: Any) -> Any:
    """Return the model, ready to be run, by the name of one of transformers' automatic classes.

    Raises `UnreadableFileError` for another architecture or damaged weights, and
    `InvalidValueError` where weights are missing or of another shape.
    """
    transformers = require_transformers()
    known = transformers.CONFIG_MAPPING
    if checkpoint.model_type not in known or checkpoint.model_type.startswith("timm"):
        raise UnreadableFileError(f"{checkpoint.name}: {_CONFIG}: found model_type "
                                  f"{checkpoint.model_type!r:.60}, expected one that transformers "
                                  f"{transformers.__version__} knows")  # fmt: skip
    held = sum(_count(path, checkpoint.name) for path in checkpoint.weights)
    with _named(checkpoint.name, "no model that can be loaded"):
        kind = getattr(transformers, automatic)
        options = {"local_files_only": True, "trust_remote_code": False}
        config = transformers.AutoConfig.from_pretrained(checkpoint.folder, **options)
        _check_count(checkpoint.name, kind, config, held)
        model, report = kind.from_pretrained(
            checkpoint.folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    for what in ("missing_keys", "mismatched_keys"):
        if keys := sorted(map(str, report[what])):
            raise InvalidValueError(f"{checkpoint.name}: found {len(keys)} weights "
                                    f"{what.split('_')[0]}, {keys[0]:.80} among them, expected "
                                    f"all of {type(model).__name__}")  # fmt: skip
    return model.eval()


def load_processor(checkpoint: Checkpoint, automatic: str) -> Any:
    """Return what brings pictures (and text) to a model, by the name of an automatic class.

    Raises `UnreadableFileError` for one that cannot be read, or that works without Pillow.
    """
    kind = getattr(require_transformers(), automatic)
    if automatic == "AutoProcessor" and not any(
        (checkpoint.folder / name).is_file() for name in _VOCABULARIES
    ):  # transformers would go on without any words
        _refuse(checkpoint.name, "no vocabulary", " or ".join(_VOCABULARIES))
    with _named(checkpoint.name, "no processor that can be loaded"):
        processor = kind.from_pretrained(
            checkpoint.folder, backend="pil", local_files_only=True, trust_remote_code=False
        )
    pictures = getattr(processor, "image_processor", processor)
    if getattr(pictures, "backend", "none") != "pil":
        raise UnreadableFileError(f"{checkpoint.name}: found {type(pictures).__name__}, expected "
                                  "a processor that works with Pillow")  # fmt: skip
    return processor


def tried(name: str, call: Callable[[], Any]) -> Any:
    """Return what a call on a loaded model returns.

    Raises `InvalidValueError` for whatever it raises: the parts of the checkpoint do not fit.
    """
    try:
        return call()
    except CastlineError:
        raise
    except Exception as error:  # noqa: BLE001 - a model raises anything at all
        raise InvalidValueError(f"{name}: found a model and a processor that do not work "
                                f"together: {_line(error)}") from None  # fmt: skip


def images(pictures: Any) -> list[Any]:
    """Return uint8 arrays, height x width x RGB, as Pillow's images.

    Of an array transformers would guess where the channels are, and be wrong at 1 or 3 rows.
    """
    from PIL import Image

    return [Image.fromarray(picture) for picture in pictures]


def _fetched(name: str, revision: str | None) -> Path:
    if not _HUB_NAME.fullmatch(name) or Path(name).exists():
        raise UnreadableFileError(f"{name}: found no such folder, expected a folder with a "
                                  "checkpoint, or its name on the hub")  # fmt: skip
    from huggingface_hub import snapshot_download

    with _named(name, "neither a folder nor a checkpoint on the hub"):
        wanted = [_CONFIG, *_PICTURES, _INDEX, "model*.safetensors", *TOKENS]
        return Path(
            snapshot_download(
                name, revision=revision, allow_patterns=wanted, ignore_patterns=["*/*"]
            )
        )


def _weights(name: str, folder: Path) -> tuple[Path, ...]:
    """Return the files with weights; all must lie in the folder and be safetensors."""
    if (folder / _WEIGHTS).is_file():
        return (folder / _WEIGHTS,)
    if not (folder / _INDEX).is_file():
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _PICKLES)
        found = f"{pickles[0]}, a pickle, which may hold code" if pickles else "no weights"
        _refuse(name, found, _WEIGHTS)
    files = _object(folder / _INDEX, name).get("weight_map")
    listed = sorted({*map(str, files.values())}) if isinstance(files, dict) else []
    for file in listed or [""]:
        if Path(file).name != file or not file.endswith(".safetensors"):
            _refuse(name, f"{_INDEX}: {file!r:.80}", "safetensors files beside it")
        if not (folder / file).is_file():
            _refuse(name, f"no {file}", f"it: {_INDEX} names it")
    return tuple(folder / file for file in listed)


def _check_config(name: str, config: Mapping[str, Any]) -> None:
    if not isinstance(config.get("model_type"), str):
        _refuse(name, f"{_CONFIG} without a model_type", "a checkpoint of transformers")
    for key, value in _walk(config):
        _check_foreign(name, _CONFIG, key, value)
        if "attn_implementation" in key and value not in (None, "sdpa", "eager"):
            _refuse(name, f"{_CONFIG}: {key}: {value!r:.60}", "sdpa or eager")
        if key == "image_size":
            _check_bound(name, f"{_CONFIG}: {key}", value, MAX_SIDE)
        elif key in _WIDTHS:
            _check_bound(name, f"{_CONFIG}: {key}", value, MAX_DIMENSIONS)
        elif any(word in key for word in _COUNTS):
            _check_bound(name, f"{_CONFIG}: {key}", value, _MAX_LAYERS)


def _check_pictures(name: str, folder: Path) -> None:
    found = {file: _object(folder / file, name) for file in _PICTURES if (folder / file).is_file()}
    if _PICTURES[0] not in found and "image_processor" not in found.get(_PICTURES[1], {}):
        _refuse(name, "nothing on how pictures are brought to the model", _PICTURES[0])
    for file, data in found.items():
        for key, value in _walk(data):
            _check_foreign(name, file, key, value)
            if key in _SIDES:
                _check_bound(name, f"{file}: {key}", value, MAX_SIDE)
            elif key == "max_num_patches":
                _check_bound(name, f"{file}: {key}", value, MAX_DIMENSIONS)
    tokens = folder / "tokenizer_config.json"
    if tokens.is_file():
        for key, value in _walk(_object(tokens, name)):
            _check_foreign(name, tokens.name, key, value)


def _check_foreign(name: str, file: str, key: str, value: Any) -> None:
    if key in _FOREIGN and value is not None:
        _refuse(name, f"{file}: {key}", "nothing that asks for code or files of its own")


def _check_bound(name: str, where: str, value: Any, bound: int) -> None:
    numbers = [each for _, each in _walk({"": value})]
    for number in numbers:
        if isinstance(number, int | float) and not isinstance(number, bool) and number > bound:
            raise InvalidValueError(f"{name}: {where}: found {number}, expected {bound} at most")


def _check_count(name: str, kind: Any, config: Any, held: int) -> None:
    """Refuse a configuration that asks for more than the files hold, before it takes memory."""
    import torch

    with torch.device("meta"):
        asked = sum(each.numel() for each in kind.from_config(config).parameters())
    if asked > 2 * held + _SLACK:
        raise InvalidValueError(f"{name}: {_CONFIG}: found a model of {asked} weights, expected "
                                f"the {held} that its files hold")  # fmt: skip


def _count(path: Path, name: str) -> int:
    """Return how many numbers a safetensors file holds."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            keys = file.keys()
            return sum(math.prod(file.get_slice(key).get_shape()) for key in keys)
    except (SafetensorError, OSError) as error:
        raise UnreadableFileError(f"{name}: {path.name}: found damage: {_line(error)}") from None


def _object(path: Path, name: str) -> dict[str, Any]:
    if not path.is_file():
        _refuse(name, f"no {path.name}", "a checkpoint of transformers")
    found = read_json(path, _MAX_JSON)
    if not isinstance(found, dict):
        _refuse(name, f"{path.name}: {found!r:.40}", "an object")
    return found


def _walk(data: Any) -> Iterator[tuple[str, Any]]:
    """Give name and value of everything in plain data; items have the name of their list."""
    waiting = list(data.items())
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((key, each) for each in value)


def _refuse(name: str, found: str, expected: str) -> NoReturn:
    raise UnreadableFileError(f"{name}: found {found}, expected {expected}")


@contextmanager
def _named(name: str, found: str) -> Iterator[None]:
    """Turn what the libraries raise into one line that names the checkpoint."""
    try:
        with quiet():
            yield
    except CastlineError:
        raise
    except Exception as error:  # noqa: BLE001 - a hostile configuration may raise anything at all
        raise UnreadableFileError(f"{name}: found {found}: {_line(error)}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from writing to the terminal."""
    logging: Any = require_transformers().utils.logging
    level, is_shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.FATAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if is_shown:
            logging.enable_progress_bar()


def _line(error: Exception) -> str:
    return f"{' '.join(str(error).split()):.160}" or type(error).__name__
