"""The house: who may import whom, what is installed, and how light it is to load."""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "castline.adapters": ROOT / "adapters",
    "castline.schemas": ROOT / "schemas",
    "castline.inference": ROOT / "inference",
    "castline": ROOT / "src" / "castline",
}
MAY_IMPORT = {
    "castline.schemas": {"castline.schemas"},
    "castline.adapters": {"castline.adapters", "castline.schemas"},
    "castline.inference": {"castline.inference", "castline.schemas"},
    "castline": set(ROOMS),
}
HEAVY = {"pxr", "torch", "transformers", "numpy", "av", "PIL", "aaf2", "lxml"}
DATA_ONLY = {"castline.fixtures"}


def _modules() -> list[tuple[str, str, Path]]:
    found = []
    for room, folder in ROOMS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join((room, *(part for part in parts if part != "__init__")))
            found.append((room, name, path))
    return found


def _room_of(module: str) -> str:
    return next(room for room in ROOMS if module == room or module.startswith(f"{room}."))


@pytest.mark.parametrize(("room", "name", "path"), _modules(), ids=lambda v: str(v).split("/")[-1])
def test_imports_run_one_way_and_are_absolute(room, name, path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            targets = [node.module or ""]
        elif isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            continue
        for target in targets:
            assert target.split(".")[0] not in {"adapters", "schemas", "inference", "tests"}
            if target.split(".")[0] == "castline":
                assert _room_of(target) in MAY_IMPORT[room], f"{path}:{node.lineno}: {target}"
            if room == "castline.schemas" and target.split(".")[0] in HEAVY:
                pytest.fail(f"{path}:{node.lineno}: schemas need {target}")


@pytest.mark.parametrize(("room", "name", "path"), _modules(), ids=lambda v: str(v).split("/")[-1])
def test_heavy_packages_are_imported_inside_functions(room, name, path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not {n.split(".")[0] for n in names} & HEAVY, f"{path}:{node.lineno}"


def test_every_package_is_listed_for_installation():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(config["options"]["packages"].split())
    standing = {name for _, name, path in _modules() if path.name == "__init__.py"}
    assert listed - DATA_ONLY == standing


def test_no_module_is_longer_than_four_hundred_lines():
    long = {str(p): n for _, _, p in _modules() if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_importing_castline_loads_nothing_heavy():
    loaded = _run("import castline, sys; print(*sys.modules)").split()
    assert not HEAVY & {name.split(".")[0] for name in loaded}


def test_help_loads_nothing_heavy_and_answers_within_three_tenths_of_a_second_of_cpu():
    code = (
        "import sys, time\n"
        "from castline import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print('CPU', time.process_time(), *sys.modules)"
    )
    last = min(
        (_run(code).rpartition("CPU ")[2].split() for _ in range(3)), key=lambda r: float(r[0])
    )
    assert not HEAVY & {name.split(".")[0] for name in last[1:]}
    assert float(last[0]) < 0.3


def test_the_plugin_package_loads_nothing_heavy():
    loaded = _run(
        "import castline.adapters.otio, castline.adapters.hooks, sys; print(*sys.modules)"
    )
    assert not HEAVY & {name.split(".")[0] for name in loaded.split()}


def test_the_wheel_holds_nothing_but_castline():
    wheels = sorted((ROOT / "dist").glob("castline-*.whl"))
    if not wheels:
        pytest.skip("no wheel was built; `make wheel` builds one")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"castline"}
    for needed in (
        "castline/py.typed",
        "castline/schemas/castline.schema.json",
        "castline/schemas/usd/generatedSchema.usda",
        "castline/schemas/usd/plugInfo.json",
        "castline/schemas/usd/schema.usda",
        "castline/adapters/otio/plugin_manifest.json",
        "castline/fixtures/demo/lighthouse_sq010_v012.edl",
    ):
        assert needed in names


def _run(code: str) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    return done.stdout
