"""The files of the USD schema; `python -m tests.usd_schema` writes them into the package.

USD's own generator makes two of them of the first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from castline.schemas.usdschema import schema_text

FOLDER = Path(__file__).resolve().parents[1] / "schemas" / "usd"
_PLACES = {"LibraryPath": "", "ResourcePath": ".", "Root": "."}


def generate() -> dict[str, str]:
    """Return the text of each file by its name."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "schema.usda"), Path(folder, "made")
        source.write_text(schema_text(), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "pxr.Usd.usdGenSchema", str(source), str(made)],
            check=True,
            capture_output=True,
        )
        return {
            "schema.usda": schema_text(),
            "generatedSchema.usda": (made / "generatedSchema.usda").read_text(encoding="utf-8"),
            "plugInfo.json": _plug_info((made / "plugInfo.json").read_text(encoding="utf-8")),
        }


def _plug_info(text: str) -> str:
    """Fill in the places that the generator leaves to a build: all is in this folder."""
    info = json.loads("".join(line for line in text.splitlines() if not line.startswith("#")))
    for plugin in info["Plugins"]:
        plugin.update(_PLACES)
    return json.dumps(info, indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in generate().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
