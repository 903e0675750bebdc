"""Commands that README and docs show are run as they are shown; those that take too long are checked word by word."""

import argparse
import contextlib
import functools
import importlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest import mock

import av
import cv2
import pytest

from wire.message import decode
from wire.rig import Rig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [README, *(page.read_text() for page in sorted((ROOT / "docs").glob("*.md")))]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
LOOKS_RUN = re.compile(r"(\.venv/bin/|\./|(sudo|apt|apt-get|pip|uv|npm|git|make|python3?)( |$)|touchline|bench\.)")
HUB = ".venv/bin/touchline-hub "
SCENES = ".venv/bin/python -m simulator.scenes FOLDER"
BOARDS = ("sudo systemctl enable --now hailort",)
SIZE = (1280, 720)


def blocks(page: str) -> list[str]:
    """Each command of a page's `sh` blocks."""
    lines = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    return [line.strip() for line in lines.splitlines() if line.strip() and not line.strip().startswith("#")]


def spans(page: str) -> list[str]:
    """What a page sets as code within its text."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def commands(page: str) -> list[str]:
    return blocks(page) + [span for span in spans(page) if LOOKS_RUN.match(span)]


@functools.cache
def help_of(module: str, *words: str) -> str:
    """What a module says when it is run with these words and asked for its help. Bad values are refused before that."""
    heard = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [module, *words, "--help"]),
        contextlib.redirect_stdout(heard),
        pytest.raises(SystemExit) as end,
    ):
        runpy.run_module(module, run_name="__main__")
    assert end.value.code == 0, f"{module} {words}"
    return heard.getvalue()


def is_a_module_with_these_options(module: str, *words: str) -> None:
    known = help_of(module, *words)
    for word in words:
        assert not word.startswith("-") or re.search(rf"(^|[\s\[]){word}\b", known), f"{module} has no {word}"


def parser_of(script: str) -> argparse.ArgumentParser:
    return importlib.import_module(SCRIPTS[script].partition(":")[0])._parser()


def is_understood_by_its_parser(script: str, *words: str) -> None:
    given = [word.strip("[]") for word in words]
    if len(given) > 1:
        parser_of(script).parse_args(given)
        return
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as end:
        parser_of(script).parse_args([*given, "--help"])
    assert end.value.code == 0


def is_what_make_would_do(*words: str) -> None:
    # These tests may run under `make test ARGS=...` themselves.
    alone = {name: value for name, value in os.environ.items() if name not in ("ARGS", "MAKEFLAGS", "MAKELEVEL")}
    dry = subprocess.run(["make", "-n", *words], cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr
    ours = [line for line in dry.stdout.splitlines() if re.match(r"\.venv/bin/(touchline|python -m bench)\b", line)]
    assert len(ours) == (words[:1] in (("demo",), ("bench",)))
    for line in ours:
        rule_for(line)()


def is_for_a_board() -> None:
    """And changes the machine that it is typed on."""


def is_run_below() -> None:
    """By the tests at the end of this file."""


def rule_for(command: str):
    """How a shown command is tried; it fails for one that nothing here knows."""
    if command in BOARDS:
        return is_for_a_board
    match shlex.split(command):
        case _ if command == SCENES or (command.startswith(HUB) and command in blocks(README)):
            return is_run_below
        case ["make", *words]:
            return functools.partial(is_what_make_would_do, *words)
        case [
            ".venv/bin/python" | "python",
            "-m",
            ("bench" | "simulator.scenes" | "simulator.teamsnap") as module,
            *words,
        ]:
            return functools.partial(is_a_module_with_these_options, module, *words)
        case [".venv/bin/python" | "python", "-m", module, *words] if module.startswith("bench."):
            return functools.partial(is_a_module_with_these_options, module, *words)
        case [module, *words] if re.fullmatch(r"bench\.\w+", module):
            return functools.partial(is_a_module_with_these_options, module, *words)
        case [script, *words] if script.removeprefix(".venv/bin/") in SCRIPTS:
            return functools.partial(is_understood_by_its_parser, script.removeprefix(".venv/bin/"), *words)
    pytest.fail(f"no rule says how to try: {command}")


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted({command for page in PAGES for command in commands(page)}))
def test_every_command_that_is_shown_is_there_and_takes_the_words_it_is_shown_with(command):
    rule_for(command)()


@pytest.mark.parametrize(
    "command",
    [
        "npm start",
        "make nothing-of-the-kind",
        "make demo ARGS=--no-such-option",
        'make bench ARGS="--seed none"',
        "touchline-hub stitch --no-such-option",
        ".venv/bin/python -m bench.kernels --no-such-option",
        "touchline-hub invented",
    ],
)
def test_a_command_that_is_not_there_or_that_no_rule_covers_is_found_out(command):
    assert commands(f"```sh\n{command}\n```") == commands(f"say `{command}`") == [command]
    with pytest.raises((AssertionError, SystemExit, pytest.fail.Exception)):
        rule_for(command)()


@pytest.mark.slow
def test_every_option_in_the_readme_is_one_of_a_command_that_it_names():
    known = "".join(help_of(name) for name in set(re.findall(r"\b(?:bench|simulator)\.[a-z_]+", README)))
    known += help_of("bench")
    for room in SCRIPTS:
        [rooms] = [a for a in parser_of(room)._actions if isinstance(a, argparse._SubParsersAction)]
        known += "".join(command.format_help() for command in rooms.choices.values())
    for span in spans(README):
        for option in re.findall(r"(?<!\S)--[a-z-]+", span):
            assert re.search(rf"{option}\b", known), option


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shown command in a folder, by this interpreter and from this checkout."""
    name, *words = shlex.split(command)
    script = name.removeprefix(".venv/bin/")
    module, _, start = SCRIPTS.get(script, ":").partition(":")
    head = [] if script == "python" else ["-c", f"from {module} import {start}; raise SystemExit({start}())"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *head, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def record(picture: Path, video: Path) -> None:
    """A second of a camera that looks at nothing but this picture."""
    seen = cv2.imread(str(picture))
    with av.open(str(video), "w") as file:
        stream = file.add_stream("libx264", 25, {"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(25):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(seen, format="bgr24")))
        file.mux(stream.encode())


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """`left.mp4` and `right.mp4`, of a scene as the README has one written."""
    assert SCENES in spans(README)
    folder = tmp_path_factory.mktemp("field")
    size = "x".join(map(str, SIZE))
    made = run(f"{SCENES.replace('FOLDER', 'scene')} --cameras 2 --size {size}", folder)
    assert made.returncode == 0, made.stderr
    for side in ("left", "right"):
        record(folder / "scene" / f"{side}.png", folder / f"{side}.mp4")
    return folder


@pytest.mark.slow
def test_two_recordings_become_a_panorama_by_the_readmes_own_commands(recordings):
    shown = [command for command in blocks(README) if command.startswith(HUB)]
    assert [shlex.split(command)[1] for command in shown] == ["calibrate", "stitch"]
    for command in shown:
        done = run(command, recordings)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert decode((recordings / "rig.json").read_bytes(), Rig).quality.trusted
    assert sorted(path.name for path in (recordings / "lines").iterdir()) == ["left.jpg", "right.jpg"]
    with av.open(str(recordings / "panorama.mp4")) as video:
        frames = [frame.to_ndarray(format="gray") for frame in video.decode(video=0)]
    assert len(frames) == 25
    assert frames[0].shape[1] > 1.5 * SIZE[0]
    assert frames[0].std() > 20


@pytest.mark.slow
def test_scenes_are_made_difficult_and_spoilt_by_the_words_beside_their_command(tmp_path):
    words = [span for span in spans(README) if re.match(r"--(difficulty|spoil) ", span)]
    assert len(words) == 2
    made = run(f"{SCENES.replace('FOLDER', '.')} --size 480x270 {' '.join(words)}", tmp_path)
    assert made.returncode == 0, made.stderr
    assert {path.name for path in tmp_path.glob("*.png")} == {"left.png", "centre.png", "right.png"}
