"""Unpacking takes exactly what the manifest promises; everything else is refused in words and leaves nothing behind."""

import io
import tarfile
from dataclasses import replace

import msgspec
import pytest

from viewer.errors import BadPackage
from viewer.games.package import unpack
from wire.match import PackagedFile
from wire.message import encode


def nothing() -> None:
    """The check that never breaks off."""


@pytest.fixture
def maker(make_package, made_package):
    spare = replace(made_package, seconds=1.0, events=made_package.events[:1], clips_of=())
    assert isinstance(spare, make_package)
    return spare


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "unpacked"
    path.mkdir()
    return path


def refused(package, folder) -> str:
    with pytest.raises(BadPackage) as fault:
        unpack(package, folder, nothing)
    return str(fault.value)


def tar_of(path, members: list[tuple[tarfile.TarInfo, bytes]]):
    with tarfile.open(path, "w") as tar:
        for member, data in members:
            if member.isreg():
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def test_a_good_package_comes_out_byte_for_byte(made_package, folder, tmp_path):
    manifest = unpack(made_package.tar(tmp_path / "p.tar"), folder, nothing)
    assert manifest == made_package.manifest()
    unpacked = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert unpacked == made_package.files


def test_a_changed_byte_is_found(maker, folder, tmp_path):
    promised = maker.manifest()
    maker.files["poster.jpg"] = maker.files["poster.jpg"][:-1] + b"?"
    assert "poster.jpg is damaged" in refused(maker.tar(tmp_path / "p.tar", promised), folder)


def test_a_file_of_another_size_is_found(maker, folder, tmp_path):
    promised = maker.manifest()
    maker.files["poster.jpg"] += b"?"
    assert "poster.jpg is not the plain file" in refused(maker.tar(tmp_path / "p.tar", promised), folder)


def test_a_file_too_many_or_too_few_is_found(maker, folder, tmp_path):
    promised = maker.manifest()
    poster = maker.files.pop("poster.jpg")
    assert "lacks poster.jpg" in refused(maker.tar(tmp_path / "p.tar", promised), folder)
    maker.files |= {"poster.jpg": poster, "extra.sh": b"rm"}
    (tmp_path / "again").mkdir()
    assert "'extra.sh'" in refused(maker.tar(tmp_path / "p.tar", promised), tmp_path / "again")


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../evil", ".hidden", "a//b", "", "package.json"])
def test_a_path_out_of_the_folder_is_refused(maker, folder, tmp_path, path):
    evil = PackagedFile(path, 1, "0" * 64)
    package = maker.tar(tmp_path / "p.tar", files=(*maker.manifest().files, evil))
    assert "which cannot be" in refused(package, folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.tar", "unpacked"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused_even_under_a_listed_name(maker, folder, tmp_path, kind):
    link = tarfile.TarInfo("poster.jpg")
    link.type, link.linkname = kind, "/etc/passwd"
    promised = maker.manifest()
    files = tuple(msgspec.structs.replace(f, bytes=0) if f.path == "poster.jpg" else f for f in promised.files)
    head = encode(msgspec.structs.replace(promised, files=files))
    package = tar_of(tmp_path / "p.tar", [(tarfile.TarInfo("package.json"), head), (link, b"")])
    assert "not the plain file" in refused(package, folder)
    assert not (folder / "poster.jpg").exists()


def test_the_same_name_twice_is_refused(maker, folder, tmp_path):
    poster = maker.files["poster.jpg"]
    head = [(tarfile.TarInfo("package.json"), encode(maker.manifest()))]
    twice = [(tarfile.TarInfo("poster.jpg"), poster), (tarfile.TarInfo("poster.jpg"), poster)]
    assert "(once)" in refused(tar_of(tmp_path / "p.tar", head + twice), folder)


@pytest.mark.parametrize("raw", [b"", b"not a tar at all" * 100, b"\0" * 2048])
def test_what_is_no_tar_is_refused(folder, tmp_path, raw):
    (tmp_path / "p.tar").write_bytes(raw)
    refused(tmp_path / "p.tar", folder)


def test_a_tar_cut_short_is_refused(made_package, folder, tmp_path):
    package = made_package.tar(tmp_path / "p.tar")
    package.write_bytes(package.read_bytes()[: package.stat().st_size // 2])
    refused(package, folder)


def test_a_manifest_that_speaks_of_what_it_does_not_list_is_refused(maker, folder, tmp_path):
    assert "does not list it" in refused(maker.tar(tmp_path / "p.tar", panorama="other.mp4"), folder)


def test_a_newer_package_is_refused_in_words(maker, folder, tmp_path):
    head = encode(maker.manifest()).replace(b'"version":1', b'"version":99', 1)
    package = tar_of(tmp_path / "p.tar", [(tarfile.TarInfo("package.json"), head)])
    assert "version 99" in refused(package, folder)
