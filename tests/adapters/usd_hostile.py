"""USD files made to hurt, and scenes that are odd."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "usd"
MALFORMED = sorted((CORPUS / "malformed").glob("*"))
_HEAD = '#usda 1.0\n(\n    defaultPrim = "World"\n    timeCodesPerSecond = {rate}\n)\n'
_CAMERA = """def Xform "World"
{{
    def Camera "Cam"
    {{
        {lens}
        double3 xformOp:translate.timeSamples = {{ {moves} }}
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
}}
"""
MOVES = "0: (0, 0, 0), 40: (40, 0, 0)"


# Files that hurt whoever reads them


def nested_prims(path: Path, levels: int = 20_000) -> Path:
    path.write_text("#usda 1.0\n" + 'def "a" {\n' * levels + "}\n" * levels)
    return path


def nested_brackets(path: Path, levels: int = 100_000) -> Path:
    data = "[" * levels + "]" * levels
    path.write_text(f"#usda 1.0\n(customLayerData = {{int[] a = {data}}})\n")
    return path


def bomb_text(width: int = 6, depth: int = 7) -> str:
    """Return some 1,200 bytes of prims that are 403,106 once they are composed."""
    text = ""
    for level in range(depth):
        below = (f'def "{c}"(references=</p{level + 1}>){{}}\n' for c in "abcdefgh"[:width])
        text += f'def "p{level}"{{\n{"".join(below)}}}\n'
    return f'{text}def "p{depth}"{{}}\n'


def bomb(path: Path) -> Path:
    path.write_text("#usda 1.0\n" + bomb_text())
    return path


def cyclic(path: Path) -> Path:
    """Write a layer that has itself as a sublayer, at once and by way of another."""
    other = path.with_name(f"other_{path.stem}.usda")
    other.write_text(f"#usda 1.0\n(subLayers = [@{path}@])\n")
    path.write_text(f'#usda 1.0\n(subLayers = [@{other}@, @{path}@])\ndef "World" {{}}\n')
    return path


def refers_to_itself(path: Path) -> Path:
    path.write_text(
        "#usda 1.0\n"
        f'def "World" (references = @{path}@</World>) {{\n'
        'def "a" (payload = </World>) {\n}\n}\n'
    )
    return path


def over_deep_text(path: Path) -> Path:
    """Write a sound layer whose sublayer nests so deep that USD dies of it."""
    below = nested_prims(path.with_name(f"deep_{path.stem}.usda"), 100_000)
    path.write_text(f'#usda 1.0\n(subLayers = [@{below}@])\ndef "World" {{}}\n')
    return path


def packed_deep_text(path: Path) -> Path:
    inner = nested_prims(path.with_name("inner.usda"), 100_000)
    with zipfile.ZipFile(path, "w") as package:
        package.write(inner, "inner.usda")
    return path


def malformed(path: Path) -> Path:
    path.write_text('#usda 1.0\ndef Xform "World" {\n  double x = = 3\n}\n')
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


HOSTILE: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "20,000 nested prims": ("usda", nested_prims),
    "100,000 nested brackets": ("usda", nested_brackets),
    "a bomb": ("usda", bomb),
    "a cyclic sublayer": ("usda", cyclic),
    "a reference to itself": ("usda", refers_to_itself),
    "deep text as a sublayer": ("usda", over_deep_text),
    "deep text in a package": ("usdz", packed_deep_text),
    "malformed text": ("usda", malformed),
    "a folder": ("usda", folder),
    "an empty file": ("usdc", empty),
    "a pipe": ("usda", pipe),
}
"""By what is wrong: a suffix, and what makes the file."""

LIVED_WITH = {"a cyclic sublayer", "a reference to itself"}
"""Those of them that are scenes all the same, once they are composed."""


# Scenes


def scene(path: Path, rate: object = 24, lens: str = "", moves: str = MOVES) -> Path:
    """Write a scene with one camera, sound but for what is asked for."""
    path.write_text(_HEAD.format(rate=rate) + _CAMERA.format(lens=lens, moves=moves))
    return path


def crowded(path: Path, count: int = 1_000_000, last: float = 1_000_000) -> Path:
    """Write a scene with a camera that has so many samples up to a time code."""
    step = last / count
    return scene(
        path, moves=", ".join(f"{n * step:.10g}: ({n % 7}, {n % 3}, 0)" for n in range(count))
    )


def truncated(source: Path, folder: Path) -> list[Path]:
    """Return copies of a file that end after 1 kB, after 2 kB and so on."""
    data = source.read_bytes()
    folder.mkdir()
    paths = []
    for size in range(1024, len(data), 1024):
        paths.append(folder / f"{size:06}{source.suffix}")
        paths[-1].write_bytes(data[:size])
    return paths
