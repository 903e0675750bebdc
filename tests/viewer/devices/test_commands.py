"""Devices and media from the command line."""

import pytest

from viewer.cli import main


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """`run("device", "list")`: exit status, what was printed, and what was said beside it."""
    monkeypatch.setenv("TOUCHLINE_MEDIA", "")

    def command(*words: str) -> tuple[int, str, str]:
        status = main([words[0], "--data", str(tmp_path / "portal"), *words[1:]])
        return status, *capsys.readouterr()

    assert command("demo-accounts", "--home", "U12")[0] == 0
    return command


def test_a_device_is_paired_listed_and_revoked(run):
    status, code, said = run("device", "pair", "--name", "hub", "--team", "U12")
    assert status == 0
    assert len(code.strip()) == 9
    assert "within 15 minutes" in said
    assert run("device", "list")[1] == "touchline-fc\thub\tU12\t-\tseen never\n"
    assert run("device", "revoke", "--name", "hub")[0] == 0
    assert run("device", "list")[1].endswith("revoked\n")
    assert run("device", "revoke", "--name", "hub")[0] == 1


def test_a_device_is_renamed_moved_and_told_a_version(run):
    run("device", "pair", "--name", "hub", "--team", "U12")
    club = ("--club", "touchline-fc")
    run("venue", "add", *club, "--name", "Lake Park")
    change = ("device", "change", *club, "--name", "hub")
    assert run(*change, "--new-name", "mast", "--venue", "Lake Park", "--wanted-version", "0.2.0")[0] == 0
    assert run("device", "list")[1] == "touchline-fc\tmast\tU12\t- (to be 0.2.0)\tseen never\n"
    assert run(*change)[0] == 1, "it is called mast now"
    assert run("device", "change", *club, "--name", "mast", "--wanted-version", "", "--venue", "")[0] == 0
    assert run("device", "list")[1] == "touchline-fc\tmast\tU12\t-\tseen never\n"
    for words in (("--venue", "none"), ("--team", "none")):
        assert run("device", "change", *club, "--name", "mast", *words)[0] == 1


def test_what_a_command_lacks_is_said(run, tmp_path):
    for words, said in (
        (("device", "pair"), "--name"),
        (("device", "change", "--name", "hub"), "--club"),
        (("device", "pair", "--name", "hub", "--team", "none"), "no team"),
        (("ingest", str(tmp_path / "none.tar"), "--device", "hub"), "no device"),
        (("media", "upload-link"), "--name"),
        (("media", "upload-link", "--name", "p.tar"), "bucket"),
        (("media", "usage", "--media", "gs://bucket"), "--media"),
    ):
        status, _, told = run(*words)
        assert status == 1, words
        assert said in told, words


def test_a_package_that_cannot_be_read_is_said(run, tmp_path):
    run("device", "pair", "--name", "hub")
    (tmp_path / "p.tar").write_bytes(b"no tar")
    assert "tar" in run("ingest", str(tmp_path / "p.tar"), "--device", "hub")[2]
    assert "No such file" in run("ingest", str(tmp_path / "none.tar"), "--device", "hub")[2]
    assert run("media", "usage")[1] == "0 files, 0.000 GB\n"


def test_a_package_is_sent_into_the_bucket_and_taken_in_from_there(run, tmp_path, bucket, made_package):
    import httpx

    run("device", "pair", "--name", "hub")
    package = made_package.tar(tmp_path / "p.tar")
    link = run("media", "upload-link", "--name", "p.tar", "--media", bucket)[1].strip()
    assert httpx.put(link, content=package.read_bytes(), timeout=60).status_code == 200
    status, told, _ = run("ingest", "bucket:p.tar", "--device", "hub", "--media", bucket)
    assert (status, made_package.session in told) == (0, True)
    assert run("media", "usage", "--media", bucket)[1].startswith("0 files"), "the package stays in the bucket"
    assert "no such package" in run("ingest", "bucket:p.tar", "--device", "hub", "--media", bucket)[2]
