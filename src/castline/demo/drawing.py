"""The demo's pictures: two drawn characters and their takes, made by PyAV and Pillow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT, RATE = 320, 180, 24


@dataclass(frozen=True)
class Figure:
    """A drawn character."""

    name: str
    hair: str
    skin: str
    coat: str


@dataclass(frozen=True)
class Shot:
    """A take to be drawn."""

    file: str
    frames: int
    figures: tuple[Figure, ...]
    prompt: str
    seed: int
    rate: int = RATE


def draw_cast(folder: Path, figures: tuple[Figure, ...]) -> None:
    """Draw two reference pictures for each figure, a folder each."""
    for figure in figures:
        home = folder / figure.name
        home.mkdir(parents=True, exist_ok=True)
        for number, turn in enumerate((0.5, 0.35)):
            picture = _scene((figure,), turn, "#8fa3ad")
            picture.crop((60, 0, 240, 180)).save(home / f"{figure.name}_{number + 1}.png")


def draw_take(folder: Path, shot: Shot) -> None:
    """Draw a take as a movie, with the graph that made it in its `prompt` tag as ComfyUI has it."""
    import av

    path = folder / shot.file
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "use_metadata_tags", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as movie:
        movie.metadata["prompt"] = json.dumps(_graph(shot))
        stream = movie.add_stream("mpeg4", rate=shot.rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(shot.frames):
            picture = _scene(shot.figures, number / shot.frames, "#2e4756")
            movie.mux(stream.encode(av.VideoFrame.from_image(picture)))
        movie.mux(stream.encode())


def _scene(figures: tuple[Figure, ...], turn: float, sky: str) -> Image:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (WIDTH, HEIGHT), sky)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 140, WIDTH, HEIGHT), fill="#3b3226")
    for number, figure in enumerate(figures):
        middle = WIDTH * (number + 1) / (len(figures) + 1) + (turn - 0.5) * 50
        pen.rounded_rectangle((middle - 34, 108, middle + 34, 190), 18, fill=figure.coat)
        pen.ellipse((middle - 30, 42, middle + 30, 112), fill=figure.hair)
        pen.ellipse((middle - 23, 54, middle + 23, 114), fill=figure.skin)
        for eye in (-9, 9):
            x = middle + eye + (turn - 0.5) * 8
            pen.ellipse((x - 3, 78, x + 3, 84), fill="#1c1c1c")
        pen.arc((middle - 9, 88, middle + 9, 102), 20, 160, fill="#7a3b2e", width=2)
    return picture


def _graph(shot: Shot) -> dict[str, object]:
    """Return the graph of a small generation, as ComfyUI's API writes it."""
    model = {"ckpt_name": "castline_demo_v1.safetensors"}
    size = {"width": WIDTH, "height": HEIGHT, "length": shot.frames, "batch_size": 1}
    sampler = {
        "seed": shot.seed,
        "steps": 20,
        "cfg": 6.5,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
        "model": ["1", 0],
        "positive": ["2", 0],
        "negative": ["3", 0],
        "latent_image": ["4", 0],
    }
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": model},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": shot.prompt, "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, logo", "clip": ["1", 1]}},
        "4": {"class_type": "EmptyHunyuanLatentVideo", "inputs": size},
        "5": {"class_type": "KSampler", "inputs": sampler},
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "SaveVideo", "inputs": {"images": ["6", 0]}},
    }
