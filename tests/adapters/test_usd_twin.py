"""The child that is a copy of a small program: where it may be, and what it keeps of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("pxr")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux copies processes")

HERE = Path(__file__).parent
ASK = """
import sys
sys.path.append({here!r})
from castline.adapters.usd import sandbox, twin
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import CastlineError
assert twin.may_start()
box = Sandbox()

def ask(function, *arguments, seconds=20, **bounds):
    try:
        name = f"usd_jobs:{{function}}"
        return box.run(name, list(arguments), seconds=seconds, place="here", **bounds)
    except CastlineError as error:
        return f"{{type(error).__name__}}: {{error}}"

"""


def program(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run code in a small program that may be copied, with `box` and `ask` at hand."""
    text = ASK.format(here=str(HERE)) + code
    return subprocess.run(
        [sys.executable, "-c", text, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def said(code: str, *arguments: str, **options):
    """Return what code prints as JSON."""
    done = program(f"import json, os\n{code}", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_program_with_threads_or_with_usd_is_not_copied():
    code = (
        "import threading\nleave = threading.Event()\n"
        "other = threading.Thread(target=leave.wait)\nother.start()\n"
        "found = [twin.may_start(), ask('process') != os.getpid()]\n"
        "found.append(type(box._child._process).__name__)\n"
        "leave.set()\nother.join()\nfound.append(twin.may_start())\n"
        "from pxr import Tf\nprint(json.dumps([*found, twin.may_start()]))"
    )
    assert said(code) == [False, True, "Popen", True, False]


def test_a_large_program_is_not_copied():
    code = (
        "import mmap\nheld = mmap.mmap(-1, twin.MAX_SIZE)\n"
        "print(json.dumps([twin.may_start(), ask('process') != os.getpid()]))"
    )
    assert said(code) == [False, True]


def test_the_copy_answers_and_the_program_stays_without_usd():
    code = (
        "found = [ask('add', 1, 2, 3), ask('echo', ['é', None]), ask('refuse', 'a: b')]\n"
        "found += [ask('process') == ask('process'), ask('process') != os.getpid()]\n"
        "found += ['pxr' in sys.modules, type(box._child._process).__name__]\n"
        "print(json.dumps(found))"
    )
    refused = "NewerVersionError: a: b"
    assert said(code) == [6, ["é", None], refused, True, True, False, "Twin"]


def test_it_dies_alone_and_the_next_call_has_another():
    code = (
        "first = ask('process')\n"
        "found = [ask('die', 11), ask('spin', seconds=0.5)]\n"
        "found.append(ask('take', 300 << 20, memory=300 << 20))\n"
        "print(json.dumps([*found, ask('process') != first, ask('add', 1, 2)]))"
    )
    died, spun, took, is_other, added = said(code)
    assert "signal 11" in died
    assert "busy" in spun
    assert "more memory" in took
    assert (is_other, added) == (True, 3)


def test_it_has_neither_the_files_nor_the_plugins_nor_the_folder_of_its_parent(tmp_path):
    plugin = {"Name": "decoy", "Type": "resource", "Root": ".", "ResourcePath": ".", "Info": {}}
    (tmp_path / "plugInfo.json").write_text(json.dumps({"Plugins": [plugin]}))
    (tmp_path / "open.txt").write_text("open")
    code = (
        "held = open('open.txt')\nsys.path.insert(0, '')\n"
        "import usd_jobs\nusd_jobs.files = lambda: [os.readlink(f'/proc/self/fd/{n}') for n in"
        " os.listdir('/proc/self/fd') if os.path.islink(f'/proc/self/fd/{n}')]\n"
        "found = ask('surroundings')\nfound['open'] = ask('files')\nprint(json.dumps(found))"
    )
    environment = {**os.environ, "PXR_PLUGINPATH_NAME": str(tmp_path)}
    found = said(code, cwd=tmp_path, env=environment)
    assert "" not in found["path"]
    assert "decoy" not in found["plugins"]
    assert "usd" in found["plugins"]
    assert not [name for name in found["environment"] if "PLUGINPATH" in name]
    assert not [name for name in found["open"] if name.endswith("open.txt")]


def test_what_was_not_written_yet_is_written_once():
    code = "print('half', end='')\nask('chatter')\nbox.close()\nprint(' whole')"
    assert program(code).stdout == "half whole\n"


def test_it_answers_a_program_without_input_and_output(tmp_path):
    code = (
        "for number in (0, 1, 2):\n    os.close(number)\n"
        "found = [ask('add', 1, 2), type(box._child._process).__name__]\n"
        "with open(sys.argv[1], 'w') as file:\n    json.dump(found, file)"
    )
    assert program(f"import json, os\n{code}", str(tmp_path / "found")).returncode == 0
    assert json.loads((tmp_path / "found").read_text()) == [3, "Twin"]


def test_what_the_program_writes_stays_out_of_the_childs_files(tmp_path):
    code = (
        "import contextlib, faulthandler, usd_jobs\n"
        "def scribble(folder, number):\n"
        "    files = [open(f'{folder}/{n}', 'w') for n in range(30)]\n"
        "    print('child' * 10_000)\n    log.flush()\n    sys.stderr.flush()\n"
        "    for file in files:\n        file.write('mine')\n        file.flush()\n"
        "    os.kill(os.getpid(), number)\n"
        "usd_jobs.scribble = scribble\n"
        "log = open(f'{sys.argv[1]}/log', 'w')\nfaulthandler.enable(log)\n"
        "log.write('half ')\n"
        "with contextlib.redirect_stdout(log):\n"
        "    print('whole')\n    found = ask('scribble', sys.argv[1], 11)\n"
        "log.close()\nprint(json.dumps(found))"
    )
    assert "signal 11" in said(code, str(tmp_path))
    assert (tmp_path / "log").read_text() == "half whole\n"
    assert {(tmp_path / str(number)).read_text() for number in range(30)} == {"mine"}


def test_who_interrupts_the_start_meets_one_program():
    code = (
        "real = os.fork\n"
        "def fork():\n    process = real()\n"
        "    if not process:\n        os.kill(os.getpid(), 2)\n"
        "    return process\n"
        "os.fork = fork\n"
        "try:\n    print(ask('add', 1, 2), flush=True)\n"
        "finally:\n    print('once', flush=True)"
    )
    assert program(f"import os\n{code}").stdout == "3\nonce\n"


def test_it_ends_with_the_sandbox_that_nobody_closed():
    code = (
        "process = ask('process')\ndel box\n"
        "try: os.kill(process, 0)\nexcept ProcessLookupError: print(json.dumps('gone'))"
    )
    assert said(code) == "gone"


def test_nothing_is_left_of_it(tmp_path):
    code = (
        "process = ask('process')\nbox.close()\n"
        "try: os.kill(process, 0)\nexcept ProcessLookupError: print(json.dumps('gone'))"
    )
    assert said(code, env={**os.environ, "TMPDIR": str(tmp_path)}) == "gone"
    assert not list(tmp_path.iterdir())


def test_it_ends_with_its_program(tmp_path):
    code = "print(ask('process'), flush=True)\nimport os\nos.kill(os.getpid(), 9)"
    process = int(program(code).stdout)
    for _ in range(500):
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or " Z " in state.read_text():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"process {process} is still there")


def test_where_no_process_starts_the_message_says_so():
    code = (
        "def fork():\n    raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "os.fork = fork\n"
        "print(json.dumps([ask('add', 1), len(os.listdir('/proc/self/fd')) - before]))"
    )
    said_so, more = said(code)
    assert "temporarily unavailable" in said_so
    assert more == 0
