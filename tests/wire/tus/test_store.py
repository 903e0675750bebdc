"""The store's offset follows the bytes, whatever happens to the process."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from wire.durable import publish
from wire.tus.errors import NoSuchUpload, UploadBusy
from wire.tus.store import UploadStore


class Uploading(RuleBasedStateMachine):
    """One upload against a model: the list of bytes that were written in order."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = b""

    @initialize(length=st.integers(0, 64) | st.none())
    def create(self, length):
        self.length = length
        self.store = UploadStore(Path(self.folder.name), lambda: 0, os.urandom)
        self.id = self.store.create(length, {}, "").id
        self.upload = self.store.open(self.id)

    @rule(data=st.binary(max_size=24))
    def write(self, data):
        room = len(data) if self.length is None else self.length - len(self.model)
        self.upload.write(self.upload.offset, data[:room])
        self.model += data[:room]

    @rule(shift=st.integers(-80, 80).filter(bool))
    def write_elsewhere(self, shift):
        with pytest.raises(ValueError, match="stands at"):
            self.upload.write(len(self.model) + shift, b"x")

    @rule()
    def crash(self):
        self.upload.close()
        self.store = UploadStore(Path(self.folder.name), lambda: 0, os.urandom)
        self.upload = self.store.open(self.id)

    @rule()
    def open_twice(self):
        with pytest.raises(UploadBusy):
            self.store.open(self.id)

    @rule(to=st.integers(0, 64))
    def drop(self, to):
        to = min(to, len(self.model))
        self.upload.drop_after(to)
        self.model = self.model[:to]

    @invariant()
    def offset_is_what_arrived(self):
        assert self.upload.offset == len(self.model)
        assert self.upload.path.read_bytes() == self.model

    def teardown(self):
        self.upload.close()
        self.folder.cleanup()


TestUploading = Uploading.TestCase


@pytest.fixture
def store(tmp_path):
    return UploadStore(tmp_path / "new" / "store", lambda: 10**18, os.urandom)


def test_bytes_beyond_the_length_do_not_count(store):
    record = store.create(3, {}, "")
    (store.root / f"{record.id}.data").write_bytes(b"01234")
    with store.open(record.id) as upload:
        assert upload.offset == 3


def test_an_upload_without_its_bytes_is_gone(store):
    record = store.create(3, {}, "")
    (store.root / f"{record.id}.data").unlink()
    with pytest.raises(NoSuchUpload, match="start it anew"):
        store.open(record.id)


def test_an_upload_with_a_damaged_side_file_is_gone(store):
    record = store.create(3, {}, "")
    (store.root / f"{record.id}.json").write_bytes(b"\0" * 40)
    with pytest.raises(NoSuchUpload, match="start it anew"):
        store.open(record.id)
    assert not list(store.records())


def test_a_completed_upload_keeps_its_offset_without_its_bytes(store):
    record = store.create(3, {}, "")
    with store.open(record.id) as upload:
        upload.write(0, b"012")
        store.complete(upload)
    assert [path.suffix for path in store.root.iterdir()] == [".json"]
    with store.open(record.id) as upload:
        assert upload.offset == 3


def test_files_without_a_side_file_go_once_they_are_old(store, tmp_path):
    kept = store.create(3, {}, "")
    orphan = store.root / ("0" * 32 + ".data")
    orphan.write_bytes(b"012")
    os.utime(orphan, ns=(10**18, 10**18))
    assert store.sweep_orphans() == 0
    os.utime(orphan, ns=(0, 0))
    os.utime(store.root / f"{kept.id}.data", ns=(0, 0))
    assert store.sweep_orphans() == 1
    assert {path.name.split(".")[0] for path in store.root.iterdir()} == {kept.id}


def test_a_concatenation_with_a_missing_part_leaves_nothing(store):
    with pytest.raises(NoSuchUpload):
        store.create(3, {}, "", parts=["0" * 32])
    assert not list(store.root.iterdir())


def test_publishing_twice_is_publishing_once(store, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    target = tmp_path / "deep" / "folder" / "target"
    publish(source, target)
    publish(source, target)
    source.unlink()
    assert target.read_bytes() == b"bytes"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_publishing_across_file_systems_copies(tmp_path, monkeypatch):
    def cannot(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("wire.durable.os.link", cannot)
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    publish(source, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"bytes"
