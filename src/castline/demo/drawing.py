"""The demo's pictures: two drawn characters and their takes, made by PyAV and Pillow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from castline.demo.faces import Face, draw_face

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT, RATE = 640, 360, 24
REFERENCES = 8
"""Pictures of each character; so many make the pairs that a calibration asks for."""
_HEAD = 260  # pixels
_SKIES = ("#2e4756", "#8fa3ad", "#4d4a44")
_BITS = 3_000_000  # a second; at a generator's usual few, a drawing is hardly itself


@dataclass(frozen=True)
class Figure:
    """A drawn character."""

    name: str
    face: Face
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
    """Draw reference pictures for each figure, a folder each: other places, sizes and light."""
    from PIL import ImageEnhance

    for figure in figures:
        home = folder / figure.name
        home.mkdir(parents=True, exist_ok=True)
        for number in range(REFERENCES):
            sky, head = _SKIES[number % len(_SKIES)], _HEAD - 12 * (number % 4)
            picture = scene((figure,), number / REFERENCES, sky, head)
            light = ImageEnhance.Brightness(picture).enhance(1.05 - 0.05 * number)
            light.crop((120, 0, 520, 360)).save(home / f"{figure.name}_{number + 1}.png")


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
        stream.bit_rate = _BITS
        stream.codec_context.thread_count = 1
        for number in range(shot.frames):
            picture = scene(shot.figures, number / shot.frames, _SKIES[0])
            movie.mux(stream.encode(av.VideoFrame.from_image(picture)))
        movie.mux(stream.encode())


def scene(figures: tuple[Figure, ...], turn: float, sky: str, head: int = _HEAD) -> Image:
    """Draw figures side by side; `turn` moves them from left (0) to right (1)."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (WIDTH, HEIGHT), sky)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 280, WIDTH, HEIGHT), fill="#3b3226")
    for number, figure in enumerate(figures):
        middle = WIDTH * (number + 1) / (len(figures) + 1) + (turn - 0.5) * 100
        pen.rounded_rectangle((middle - 80, 246, middle + 80, 400), 36, fill=figure.coat)
        face = draw_face(figure.face, head)
        picture.paste(face, (round(middle - head / 2), 264 - head), face)
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
