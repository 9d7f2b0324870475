"""The process that reads what others wrote: what it may do, and what becomes of it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentimelineio import schema

from castline.adapters import usd
from castline.adapters.usd import sandbox
from castline.adapters.usd.sandbox import Sandbox
from castline.schemas.errors import (
    MissingDependencyError,
    NewerVersionError,
    UnreadableFileError,
)

pytest.importorskip("pxr")

HERE = Path(__file__).parent


@pytest.fixture
def box():
    with Sandbox() as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_learned(monkeypatch):
    """No test leaves behind which Pythons are fit."""
    monkeypatch.setattr(sandbox, "_fit", set())
    monkeypatch.setattr(sandbox, "_unfit", set())


def ask(box: Sandbox, function: str, *arguments, seconds: float = 20, **bounds):
    name = f"usd_jobs:{function}"
    return box.run(name, list(arguments), seconds=seconds, place="here.usda", **bounds)


def refused(box: Sandbox, function: str, *arguments, **bounds) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        ask(box, function, *arguments, **bounds)
    text = str(caught.value)
    assert text.startswith("here.usda: ")
    assert "\n" not in text
    return text


def is_there(process: int) -> bool:
    """Say whether a process runs; one that ended and that nobody has waited for does not."""
    state = Path(f"/proc/{process}/stat")
    try:
        os.kill(process, 0)
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_for(path: Path) -> int:
    """Return the number of the process that writes this file."""
    for _ in range(3000):
        if path.exists():
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"nobody wrote {path}")


def wait_for_the_end(process: int) -> None:
    """Give the system the moment that it takes to end a process that was killed."""
    for _ in range(500):
        if not is_there(process):
            return
        time.sleep(0.01)
    raise AssertionError(f"process {process} is still there")


def bounded(monkeypatch) -> None:
    """Let wall time run out soon after CPU time would."""
    monkeypatch.setattr(sandbox, "SPARE_SECONDS", 0.0)


# Calls


def test_arguments_go_in_and_a_result_comes_out(box):
    assert ask(box, "add", 1, 2, 3) == 6
    value = {"a": [1, 2.5, None, True, "é\n\0 雨", {}, []], "b": "x" * 3_000_000}
    assert ask(box, "echo", value) == value


def test_the_function_runs_in_another_process_the_same_one_for_all_calls(box):
    found = {ask(box, "process") for _ in range(5)}
    assert len(found) == 1
    assert found != {os.getpid()}
    assert [ask(box, "remember", number) for number in range(3)] == [[0], [0, 1], [0, 1, 2]]


def test_run_has_a_child_for_itself_alone():
    found = {sandbox.run("usd_jobs:process", [], seconds=20, place="here.usda") for _ in range(2)}
    assert len(found) == 2
    for process in found:
        wait_for_the_end(process)


def test_an_error_of_ours_comes_as_it_was_raised(box):
    with pytest.raises(NewerVersionError) as caught:
        ask(box, "refuse", "a.usda: found 3, expected é")
    assert type(caught.value) is NewerVersionError
    assert str(caught.value) == "a.usda: found 3, expected é"


def test_any_other_error_is_one_line(box):
    assert "LookupError: a b" in refused(box, "fail", "a\nb")
    assert "TypeError" in refused(box, "no_json")
    assert "Recursion" in refused(box, "deep")
    assert "no_such" in refused(box, "no_such")


def test_words_on_the_way_are_no_answer(box):
    assert ask(box, "chatter") == 7
    assert ask(box, "add", 1, 2) == 3


# Ends


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGKILL"])
def test_a_death_is_one_line_and_the_next_call_has_another_child(name, box):
    number = int(getattr(signal, name))
    before = ask(box, "process")
    assert f"signal {number}" in refused(box, "die", number)
    assert not is_there(before)
    assert ask(box, "process") != before


def test_a_child_that_leaves_or_died_between_two_calls_is_started_anew(box):
    assert "status 3" in refused(box, "leave", 3)
    process = ask(box, "process")
    os.kill(process, signal.SIGKILL)
    wait_for_the_end(process)
    assert ask(box, "add", 1, 2) == 3


def test_a_loop_ends_when_its_cpu_time_is_used_up(box):
    process = ask(box, "process")
    assert "busy for more than 0.5 seconds" in refused(box, "spin", seconds=0.5)
    assert not is_there(process)


def test_cpu_time_is_counted_anew_for_each_call(box):
    for _ in range(8):
        ask(box, "work", 0.4, seconds=1)


def test_sleep_ends_when_wall_time_is_used_up(box, monkeypatch, tmp_path):
    ask(box, "process")
    bounded(monkeypatch)
    assert "busy" in refused(box, "sleep", str(tmp_path / "mark"), seconds=0.1)
    assert not is_there(wait_for(tmp_path / "mark"))
    assert ask(box, "add", 1, 2) == 3


def test_what_needs_more_memory_than_its_bound_is_refused(box):
    assert "more memory" in refused(box, "take", 300 << 20, memory=300 << 20)
    assert ask(box, "take", 300 << 20, memory=4 << 30) == 300 << 20


def test_a_flood_is_refused(box, monkeypatch):
    monkeypatch.setattr(sandbox, "MAX_ANSWER", 1000)
    process = ask(box, "process")
    assert "more data" in refused(box, "many", 10_000_000)
    assert not is_there(process)
    assert ask(box, "many", 900) == "x" * 900


FORGED = {
    "a length beyond all bounds": "ff" * 8,
    "no length": "00" * 8,
    "nothing known": "0100000000000000" + "78",
    "no JSON": "0500000000000000" + "7222225d5d",
    "an error that is none": "0300000000000000" + "655b5d",
    "an error of other kinds": "0500000000000000" + "655b312c32",
    "text that is no text": "0400000000000000" + "7222ff22",
}


@pytest.mark.parametrize("kind", FORGED)
def test_what_a_confused_child_says_is_refused_and_nothing_of_it_is_kept(kind, box):
    ask(box, "process")
    refused(box, "forge", FORGED[kind])
    assert ask(box, "add", 1, 2) == 3
    assert ask(box, "add", 3, 4) == 7


# What is left


def test_nothing_is_left_when_it_is_closed(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox() as made:
        process = ask(made, "process")
        assert is_there(process)
        assert len(list(tmp_path.iterdir())) == 1
    assert not is_there(process)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError), Sandbox() as made:
        process = ask(made, "process")
        raise ZeroDivisionError
    assert not is_there(process)


def test_what_the_child_started_ends_with_it(box, monkeypatch, tmp_path):
    ask(box, "process")
    bounded(monkeypatch)
    refused(box, "leave_a_child", str(tmp_path / "mark"), seconds=0.5)
    wait_for_the_end(wait_for(tmp_path / "mark"))


def in_a_program(code: str, *arguments: str) -> subprocess.Popen:
    """Run code in a Python of its own, which knows of the tests' modules."""
    code = f"import sys; sys.path.append({str(HERE)!r})\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_who_interrupts_the_waiting_leaves_no_child(tmp_path):
    code = (
        "from castline.adapters.usd.sandbox import Sandbox\n"
        "box = Sandbox()\n"
        "try: box.run('usd_jobs:sleep', [sys.argv[1]], seconds=60, place='here')\n"
        "except KeyboardInterrupt: print('interrupted', file=sys.stderr, flush=True)\n"
        "sys.stdin.read()\n"
    )
    program = in_a_program(code, str(tmp_path / "mark"))
    child = wait_for(tmp_path / "mark")
    assert child != program.pid
    program.send_signal(signal.SIGINT)
    assert program.stderr.readline() == "interrupted\n"
    assert program.poll() is None
    assert not is_there(child)
    program.communicate("", timeout=60)


def test_a_child_without_work_ends_with_its_program(tmp_path):
    code = (
        "import os, pathlib\n"
        "from castline.adapters.usd.sandbox import Sandbox\n"
        "found = Sandbox().run('usd_jobs:process', [], seconds=60, place='here')\n"
        "pathlib.Path(sys.argv[1]).write_text(str(found))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    program = in_a_program(code, str(tmp_path / "mark"))
    program.communicate(timeout=60)
    wait_for_the_end(wait_for(tmp_path / "mark"))


# Which Python


def programs(monkeypatch, executable: Path | str | None, home: Path) -> None:
    """Let this seem a program with a Python inside, all of it in one folder."""
    monkeypatch.setattr(sys, "executable", executable and str(executable))
    monkeypatch.setattr(sys, "_base_executable", executable and str(executable), raising=False)
    for name in ("prefix", "exec_prefix", "base_prefix"):
        monkeypatch.setattr(sys, name, str(home))


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["mayapy", "hython", "python3"])
def test_inside_a_program_the_python_beside_it_is_taken(name, box, monkeypatch, tmp_path):
    python = sys.executable
    mark = tmp_path / "ran"
    program = script(tmp_path / "bin" / "maya.bin", f"touch {mark}")
    script(tmp_path / "bin" / name, f'exec {python} "$@"')
    programs(monkeypatch, program, tmp_path / "no")
    assert ask(box, "process") != os.getpid()
    assert not mark.exists()


def test_inside_a_program_the_python_of_its_prefix_is_taken(box, monkeypatch):
    home = Path(sys.prefix)
    programs(monkeypatch, "/no/bin/houdini", home)
    assert ask(box, "process") != os.getpid()


@pytest.mark.parametrize("executable", [None, "", "/no/bin/maya"])
def test_where_there_is_no_python_the_function_runs_here(executable, box, monkeypatch, tmp_path):
    programs(monkeypatch, executable, tmp_path)
    assert ask(box, "process") == os.getpid()
    assert ask(box, "echo", {"a": [1]}) == {"a": [1]}
    with pytest.raises(NewerVersionError, match=r"^a: b$"):
        ask(box, "refuse", "a: b")
    assert "LookupError: a b" in refused(box, "fail", "a\nb")
    assert "TypeError" in refused(box, "no_json")


def test_where_there_is_no_python_a_cut_is_read_all_the_same(monkeypatch, tmp_path):
    usd.write(schema.Timeline("cut"), tmp_path / "a.usda")
    programs(monkeypatch, None, tmp_path)
    assert usd.read(tmp_path / "a.usda").name == "cut"
    (tmp_path / "b.usda").write_text("#usda 1.0\ndef {")
    with pytest.raises(UnreadableFileError, match="damaged"):
        usd.read(tmp_path / "b.usda")


@pytest.mark.parametrize("text", ["exit 3", "echo hello there", "exec sleep 600", "kill -9 $$"])
def test_a_python_that_is_none_is_tried_once(text, box, monkeypatch, tmp_path):
    tries = tmp_path / "tries"
    fake = script(tmp_path / "bin" / "python3", f"echo >> {tries}\n{text}")
    programs(monkeypatch, fake, Path(sys.prefix))
    monkeypatch.setattr(sandbox, "START_SECONDS", 5.0)
    for _ in range(2):
        with Sandbox() as made:
            assert ask(made, "process") != os.getpid()
    assert len(tries.read_text().splitlines()) == 1


def test_a_python_without_usd_is_none_for_us(box, monkeypatch):
    before = sys.path
    monkeypatch.setattr(sys, "path", [p for p in before if "site-packages" not in p])
    assert sandbox._start(sys.executable, "here.usda") is None


def test_a_machine_that_is_short_of_something_does_not_make_us_careless(box, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as context:
        context.setattr(subprocess, "Popen", fail)
        assert "temporarily unavailable" in refused(box, "process")
    assert ask(box, "process") != os.getpid()
    box.close()
    with monkeypatch.context() as context:
        context.setattr(sandbox, "START_SECONDS", 0.0)
        assert "does not start" in refused(box, "process")
    assert ask(box, "process") != os.getpid()


def test_where_usd_is_not_installed_the_message_says_so(box, monkeypatch, tmp_path):
    programs(monkeypatch, None, tmp_path)
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        ask(box, "process")


# What it takes along


def test_nothing_of_the_users_start_up_gets_into_the_child(box, monkeypatch, tmp_path):
    for name in ("json", "orjson", "resource", "sitecustomize", "usercustomize", "startup"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    for name in ("pxr", "castline"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    plugin = {"Name": "decoy", "Type": "resource", "Root": ".", "ResourcePath": ".", "Info": {}}
    (tmp_path / "plugInfo.json").write_text(json.dumps({"Plugins": [plugin]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path))
    monkeypatch.setenv("PXR_PLUGINPATH_NAME", str(tmp_path))
    monkeypatch.setenv("MAYA_PXR_PLUGINPATH_NAME", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    found = ask(box, "surroundings")
    assert not (tmp_path / "ran").exists()
    assert str(tmp_path) not in found["path"]
    assert not any(file.startswith(str(tmp_path)) for file in found["files"])
    assert "decoy" not in found["plugins"]
    assert "usd" in found["plugins"]
    assert not [name for name in found["environment"] if "PLUGINPATH" in name]


def test_the_child_has_castline_from_where_the_program_has_it(box):
    import castline.schemas

    files = ask(box, "surroundings")["files"]
    assert castline.schemas.__file__ in files
    assert str(HERE / "usd_jobs.py") in files


# Many at once


def test_threads_read_at_the_same_time(tmp_path):
    paths = []
    for number in range(12):
        path = tmp_path / f"{number}.usda"
        if number % 3:
            usd.write(schema.Timeline(f"cut {number}"), path)
        else:
            path.write_text("#usda 1.0\ndef {")
        paths.append(path)

    def name_in(path: Path) -> str:
        try:
            return usd.read(path).name
        except UnreadableFileError as error:
            return str(error)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(name_in, paths))
    for number, (path, name) in enumerate(zip(paths, found, strict=True)):
        if number % 3:
            assert name == f"cut {number}"
        else:
            assert name.startswith(f"{path}: found damaged")


def test_no_thread_of_ours_is_left(box):
    before = threading.active_count()
    ask(box, "add", 1, 2)
    refused(box, "leave", 1)
    assert threading.active_count() == before
