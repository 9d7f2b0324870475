"""What publishing onto a large stage costs, beside opening it: CPU seconds of whole processes.

The stage has 4,000 prims in 3,000 layers: a set of props, each prop a file with a mesh of 32 by 32
points, its look another. Beside it the same stage with cubes for meshes, where opening costs next
to nothing and what is left is Python, OTIO and USD, which have to start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from opentimelineio import schema
from opentimelineio.opentime import RationalTime, TimeRange

from castline.adapters import files
from castline.schemas.places import set_sequence, set_slot, set_take
from castline.schemas.values import Appearance, Cast, Character, Generation, Sequence, Slot, Take

PROPS = 1498
BAR = 1.5  # times the CPU of opening the stage
ROUNDS = 5

_OPEN = "import sys; from pxr import Usd; Usd.Stage.Open(sys.argv[1])"


def mesh(side: int) -> str:
    """Return USD text of a prop's mesh, a grid of so many points a side; of a cube for none."""
    if not side:
        return '    def Cube "geo"\n    {\n    }\n'
    points = ", ".join(
        f"({x * 0.37:.4f}, {((x * y) % 7) * 0.11:.4f}, {y * 0.41:.4f})"
        for y in range(side)
        for x in range(side)
    )
    corners = [
        (y * side + x, y * side + x + 1, (y + 1) * side + x + 1, (y + 1) * side + x)
        for y in range(side - 1)
        for x in range(side - 1)
    ]
    counts = ", ".join("4" for _ in corners)
    indices = ", ".join(str(index) for corner in corners for index in corner)
    return (
        f'    def Mesh "geo"\n    {{\n        int[] faceVertexCounts = [{counts}]\n'
        f"        int[] faceVertexIndices = [{indices}]\n"
        f"        point3f[] points = [{points}]\n    }}\n"
    )


def make_stage(folder: Path, side: int) -> Path:
    """Write a stage of 4,000 prims in 3,000 layers: the root, a set, props and their looks."""
    props = folder / "props"
    props.mkdir(parents=True)
    geometry = mesh(side)
    for number in range(PROPS):
        (props / f"look{number}.usda").write_text(
            '#usda 1.0\n(\n    defaultPrim = "Prop"\n)\nover "Prop"\n{\n'
            "    color3f[] primvars:displayColor = [(0.5, 0.5, 0.5)]\n}\n"
        )
        (props / f"prop{number}.usda").write_text(
            f'#usda 1.0\n(\n    defaultPrim = "Prop"\n    subLayers = [@./look{number}.usda@]\n)\n'
            'def Xform "Prop" (\n    assetInfo = {\n        string name = "prop"\n    }\n'
            f'    kind = "component"\n)\n{{\n{geometry}}}\n'
        )
    body = "".join(
        f'    def "prop{number}" (\n        references = @./props/prop{number}.usda@\n    )\n'
        "    {\n        double3 xformOp:translate = (1, 2, 3)\n    }\n"
        for number in range(PROPS)
    )
    (folder / "set.usda").write_text(
        '#usda 1.0\n(\n    defaultPrim = "Set"\n)\n'
        f'def Xform "Set" (\n    kind = "assembly"\n)\n{{\n{body}}}\n'
    )
    more = "".join(
        f'        def Scope "s{number}"\n        {{\n        }}\n' for number in range(998)
    )
    stage = folder / "shot.usda"
    stage.write_text(
        '#usda 1.0\n(\n    defaultPrim = "World"\n    endTimeCode = 1048\n'
        "    metersPerUnit = 0.01\n    startTimeCode = 1001\n    timeCodesPerSecond = 24\n"
        '    upAxis = "Y"\n)\ndef Xform "World"\n{\n'
        '    def "set" (\n        references = @./set.usda@\n    )\n    {\n    }\n'
        '    def Camera "cam"\n    {\n    }\n    def SkelRoot "MARA"\n    {\n    }\n'
        f'    def Scope "more"\n    {{\n{more}    }}\n}}\n'
    )
    return stage


def make_cut(path: Path) -> None:
    """Write a cut of one shot with somebody in it."""
    whole = TimeRange(RationalTime(0, 24), RationalTime(48, 24))
    clip = schema.Clip("shot", schema.ExternalReference("shot.mov", whole), whole)
    set_slot(clip, Slot(slot_id="shot"))
    seen = (Appearance(character_id="mara", state="ok"),)
    set_take(
        clip.media_reference, Take(take_id="t1", generation=Generation(tool="x"), appearances=seen)
    )
    cut = schema.Timeline("cut")
    cut.tracks.append(schema.Track("V1", [clip]))
    cast = Cast(characters=(Character(character_id="mara", name="MARA"),))
    set_sequence(cut, Sequence(cast=cast))
    files.write(cut, path)


def cpu(*command: str | Path) -> float:
    """Return the CPU seconds of a process and its children."""
    before = os.times()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def main() -> None:
    """Print the ratio and both figures, of each stage."""
    with tempfile.TemporaryDirectory() as scratch:
        make_cut(Path(scratch, "cut.otio"))
        for name, side in (("meshes", 32), ("cubes", 0)):
            folder = Path(scratch, name)
            stage = make_stage(folder, side)
            castline = [sys.executable, "-m", "castline", "publish", f"{scratch}/cut.otio", stage]
            opened, published = [], []
            for number in range(ROUNDS):
                opened.append(cpu(sys.executable, "-c", _OPEN, stage))
                published.append(cpu(*castline, "-o", folder / f"out{number}"))
            one, other = min(opened), min(published)
            bar = f" (bar {BAR})" if side else ""
            print(
                f"publish, 4,000 prims with {name}, 3,000 layers: {other:.2f} CPU s, "
                f"opening {one:.2f}: {other / one:.2f}x{bar}"
            )


if __name__ == "__main__":
    main()
