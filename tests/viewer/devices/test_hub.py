"""A real hub beside a real portal: paired by the commands of both, then seen, and refused once it is revoked."""

import re
import subprocess
import sys

import pytest

from tests.viewer.portals import ROOT, end, free_port

HUB = [sys.executable, "-m", "hub.cli"]


@pytest.mark.slow
def test_a_hub_that_is_paired_is_seen_by_its_portal_until_it_is_revoked(portal, tmp_path):
    [code] = portal.run("device", "pair", "--name", "field box").split()
    data = tmp_path / "hub"
    pairing = [*HUB, "pair", code, "--data", str(data), "--viewer", portal.url]
    paired = subprocess.run(pairing, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert paired.returncode == 0, paired.stderr
    assert paired.stdout.startswith("paired: field box brings the matches of ")
    again = subprocess.run(pairing, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2
    assert "A code works once" in again.stderr

    portal.run("device", "change", "--club", "touchline-fc", "--name", "field box", "--wanted-version", "9.9")
    log = tmp_path / "hub.log"
    serving = [*HUB, "serve", "--data", str(data), "--port", str(free_port()), "--node", "left=http://127.0.0.1:9"]

    def said(words: str) -> bool:
        return words in log.read_text()

    with open(log, "wb") as out:
        hub = subprocess.Popen([*serving, "--token", "t"], cwd=ROOT, stderr=out)
    try:
        portal.wait_for(lambda: said("event=update-wanted"), "the hub's sign of life")
    finally:
        end(hub)
    assert said("wanted=9.9")
    assert not said("event=blur-waits")
    [listed] = [line for line in portal.run("device", "list").splitlines() if "\tfield box\t" in line]
    assert " (to be 9.9)" in listed
    assert "\tseen 2" in listed

    portal.run("device", "revoke", "--name", "field box")
    with open(log, "wb") as out:
        hub = subprocess.Popen([*serving, "--token", "t"], cwd=ROOT, stderr=out)
    try:
        portal.wait_for(lambda: said("event=portal-silent") and said("event=blur-waits"), "the refusal")
    finally:
        end(hub)
    assert re.search(r'event=portal-silent reason="?401', log.read_text())
