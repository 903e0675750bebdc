"""What is documented is there, and what is there is documented."""

import argparse
import re
from pathlib import Path

import pytest

import edge.cli
import hub.cli
import simulator.cli
import viewer.cli
from firmware.panel import BEEPS, LIGHTS
from hub.api import CalibrationApi, SessionsApi, proof_routes
from hub.ingest import Ingest, ingest_routes
from hub.marks import MarkBook
from hub.sessions import Sessions

ROOT = Path(__file__).parents[1]
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def subcommands():
    for room in (simulator, edge, hub, viewer):
        parser = room.cli._parser()
        [commands] = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        for name, command in commands.choices.items():
            yield f"{parser.prog} {name}", command


def section_at(start: int) -> str:
    return re.split(r"\n##+ ", COMMANDS[start + 4 :])[0]


@pytest.mark.parametrize(("title", "command"), list(subcommands()), ids=lambda x: x if isinstance(x, str) else "")
def test_every_option_of_every_command_is_documented_and_none_is_invented(title, command):
    text = section_at(COMMANDS.index(f"### `{title}`\n"))
    real = {action.option_strings[0] for action in command._actions if action.option_strings} - {"-h"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE)) == real


def test_every_documented_command_exists():
    assert set(re.findall(r"^### `(.+)`$", COMMANDS, re.MULTILINE)) == {title for title, _ in subcommands()}


def test_the_readme_names_every_option_of_the_demo():
    [demo] = [command for title, command in subcommands() if title == "touchline demo"]
    for action in demo._actions:
        if action.option_strings and action.dest != "help":
            assert f"`{action.option_strings[0]}" in README


def test_every_route_of_the_hub_is_documented(tmp_path):
    async def nobody(_key, _offer):
        return None

    ingest = Ingest(tmp_path, "t", int, nobody)
    sessions = Sessions(tmp_path / "s")
    api = SessionsApi(sessions, MarkBook(sessions), None, "t", int, bytes, print)
    routes = ingest_routes(ingest) + api.routes() + CalibrationApi(sessions, "t", print).routes()
    routes += proof_routes("t")
    ingest.close()
    for route in routes:
        path = re.sub(r":[^/]*}(?=$|/)", "}", route.path)
        assert f"`{route.method} {path}`" in API, f"{route.method} {path}"


def test_every_route_of_the_portal_for_devices_is_documented():
    from viewer.web.app import _FIELDS

    def nameless(path: str) -> str:
        return re.sub("{[^}]*}", "{}", path)

    portal = API.split("## Portal")[1]
    documented = {nameless(path) for path in re.findall(r"`[A-Z*]+ (/[^`]+)`", portal)}
    paths = {path for field in _FIELDS for route in field.ROUTES for path in route.paths}
    assert documented == {nameless(path) for path in paths if path.startswith("/api/")}


def test_every_beep_and_light_is_documented_as_it_is_and_none_is_invented():
    rows = dict(re.findall(r"^\| (.+) \| (.+) \|$", (ROOT / "docs" / "panel.md").read_text(), re.MULTILINE))
    beeps = {f"`{beep.rhythm}`": beep.meaning for beep in BEEPS.values()}
    assert {sound: meaning for sound, meaning in rows.items() if sound.startswith("`")} == beeps
    assert {light.meaning for light in LIGHTS.values()} <= set(rows.values())


def test_pages_link_only_to_files_that_are_there():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_make_target_named_in_a_page_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", page.read_text(), re.MULTILINE):
            assert set(target) - {""} <= targets, page.name


def test_no_third_party_package_is_declared_without_a_reason():
    text = (ROOT / "pyproject.toml").read_text()
    block = text.split("[project.optional-dependencies]")[1].split("[project.scripts]")[0]
    runtime = text.split("dependencies = [")[1].split("]\n\n")[0] + block.split("dev = [")[0]
    reasoned, bare = set(), set()
    for name, comment in re.findall(r'^\s+"([A-Za-z0-9_-]+)[^"]*",(.*)$', runtime, re.MULTILINE):
        (reasoned if "#" in comment else bare).add(name)
    assert bare <= reasoned, f"say why: {bare - reasoned}"
