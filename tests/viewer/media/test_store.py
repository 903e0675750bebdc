"""What every media store promises, tried on a folder and on S3; and what each adds."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest

from tests.viewer.portals import free_port
from viewer.errors import BadMediaPath, BadSettings
from viewer.media.folder import ASIDE, FolderStore
from viewer.media.opening import open_store
from viewer.media.store import CHUNK, Usage
from viewer.settings import Settings
from viewer.web.server import run_server

BIG = bytes(range(256)) * (CHUNK // 100)
FILES = {"panorama.mp4": BIG, "clips/000.mp4": b"clip", "match.tracks": b""}


@pytest.fixture
def made(tmp_path):
    """`made(files)`: a finished folder of files."""

    def make(files=FILES) -> Path:
        folder = tmp_path / f"made-{len(list(tmp_path.iterdir()))}"
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder

    return make


class TestEveryStore:
    def test_what_is_put_can_be_read(self, store, made):
        store.put(made(), "match/one")
        for path, data in FILES.items():
            assert store.whole(f"match/one/{path}") == data
            assert store.size(f"match/one/{path}") == len(data)

    @pytest.mark.parametrize(
        ("first", "end"), [(0, 1), (5, 5), (7, CHUNK + 7), (len(BIG) - 3, None), (0, len(BIG)), (CHUNK, None)]
    )
    def test_a_part_is_read_to_the_byte(self, store, made, first, end):
        store.put(made(), "match/one")
        assert b"".join(store.read("match/one/panorama.mp4", first, end)) == BIG[first:end]

    def test_putting_twice_does_no_harm(self, store, made):
        store.put(made(), "match/one")
        store.put(made(), "match/one")
        assert store.whole("match/one/panorama.mp4") == BIG
        assert store.usage() == Usage(3, len(BIG) + 4)

    def test_a_put_that_broke_off_is_made_good_by_the_next(self, store, made):
        calls = []

        def break_off() -> None:
            calls.append(1)
            if len(calls) == 2:
                raise RuntimeError

        with pytest.raises(RuntimeError):
            store.put(made(), "match/one", break_off)
        store.put(made(), "match/one")
        assert {path: store.whole(f"match/one/{path}") for path in FILES} == FILES

    def test_deleting_takes_a_prefix_and_leaves_its_neighbours(self, store, made):
        for prefix in ("match/one", "match/one2", "other/one"):
            store.put(made(), prefix)
        store.delete("match/one")
        assert {"/".join(s.path.split("/")[:2]) for s in store.listed()} == {"match/one2", "other/one"}
        with pytest.raises(FileNotFoundError):
            store.size("match/one/panorama.mp4")

    def test_deleting_takes_one_file(self, store, made):
        store.put(made(), "match/one")
        store.delete("match/one/clips/000.mp4")
        assert {s.path for s in store.listed("match/one")} == {"match/one/panorama.mp4", "match/one/match.tracks"}

    def test_deleting_what_is_not_there_is_no_fault(self, store):
        store.delete("match/none")

    def test_a_deleted_prefix_can_come_back_whole(self, store, made):
        store.put(made(), "match/one")
        store.delete("match/one")
        store.put(made(), "match/one")
        assert store.usage("match/one").files == 3

    def test_a_missing_file_is_told_as_missing(self, store, made):
        store.put(made(), "match/one")
        with pytest.raises(FileNotFoundError):
            store.size("match/one/none.mp4")
        with pytest.raises(FileNotFoundError):
            store.whole("match/one/none.mp4")

    def test_listing_tells_sizes_and_when(self, store, made):
        store.put(made(), "match/one")
        listed = {s.path: s for s in store.listed("match")}
        assert {path: s.bytes for path, s in listed.items()} == {f"match/one/{p}": len(d) for p, d in FILES.items()}
        assert all(abs(datetime.now(UTC) - s.changed_at) < timedelta(minutes=1) for s in listed.values())
        assert store.usage("none") == Usage(0, 0)

    @pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", "", "a/../b", ".hidden", "a/.b", "a\\b", "a/b\n"])
    def test_no_path_leads_out_of_the_store(self, store, tmp_path, path):
        (tmp_path / "x").write_text("outside")
        for act in (store.size, store.whole, store.delete, lambda p: store.put(tmp_path, p)):
            with pytest.raises(BadMediaPath):
                act(path)
        for link in (store.view_link, store.upload_link):
            if store.origin:
                with pytest.raises(BadMediaPath):
                    link(path, timedelta(minutes=1))

    def test_a_store_of_ours_is_private(self, store, made):
        store.put(made(), "match/one")
        assert store.open_to_anybody() is False
        assert store.usage("probe").files == 0


class TestFolder:
    @pytest.fixture
    def store(self, tmp_path):
        return FolderStore(tmp_path / "store")

    def test_nobody_gets_an_address_around_the_portal(self, store, made):
        store.put(made(), "match/one")
        assert store.view_link("match/one/panorama.mp4", timedelta(minutes=1)) is None
        assert store.upload_link("match/one/panorama.mp4", timedelta(minutes=1)) is None

    def test_another_file_system_gets_a_copy_whole_or_not_at_all(self, store, made, monkeypatch):
        real = Path.rename

        def rename(self, target):
            if store.root not in self.parents:
                raise OSError(18, "another file system")
            return real(self, target)

        monkeypatch.setattr(Path, "rename", rename)
        store.put(made(), "match/one")
        assert {path: store.whole(f"match/one/{path}") for path in FILES} == FILES

    def test_a_crash_while_deleting_leaves_no_half_of_a_prefix(self, store, made, monkeypatch):
        store.put(made(), "match/one")
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "rmtree", lambda *a, **n: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                store.delete("match/one")
        assert list(store.listed()) == []
        [left] = store.root.glob(f"{ASIDE}*")
        store.put(made(), "match/one")
        assert store.usage().files == 3
        os.utime(left, (1, 1))
        assert store.sweep(datetime.now(UTC) - timedelta(hours=1)) == 1
        assert store.usage().files == 3

    def test_putting_again_makes_a_prefix_young_again(self, store, made):
        store.put(made(), "match/one")
        for path in [*store.root.rglob("*")]:
            os.utime(path, (1, 1))
        store.put(made(), "match/one")
        assert max(s.changed_at for s in store.listed("match/one")) > datetime.now(UTC) - timedelta(minutes=1)


class TestS3:
    @pytest.fixture
    def store(self, bucket):
        from viewer.media.s3 import S3Store

        return S3Store(bucket)

    def test_an_address_for_looking_is_signed_ends_and_gives_parts(self, store, made):
        store.put(made(), "match/one")
        link = store.view_link("match/one/panorama.mp4", timedelta(minutes=7))
        asked = parse_qs(urlsplit(link).query)
        assert asked["X-Amz-Expires"] == ["420"]
        assert len(asked["X-Amz-Signature"][0]) == 64
        assert link.startswith(store.origin + "/")
        part = httpx.get(link, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, BIG[10:20])
        assert part.headers["content-type"] == "video/mp4"

    def test_objects_are_private(self, store, made, s3):
        store.put(made(), "match/one")
        path = urlsplit(store.view_link("match/one/panorama.mp4", timedelta(minutes=1))).path
        found = boto3.client("s3", endpoint_url=s3).get_object_acl(Bucket="media", Key=path.removeprefix("/media/"))
        assert [grant["Grantee"]["Type"] for grant in found["Grants"]] == ["CanonicalUser"], "its owner, and nobody"

    def test_no_object_has_a_type_that_a_browser_would_run(self, store, made):
        store.put(made({"evil.html": b"<script>", "evil.svg": b"<svg>", "x.js": b"x", "noname": b"x"}), "match/one")
        for name in ("evil.html", "evil.svg", "x.js", "noname"):
            found = httpx.get(store.view_link(f"match/one/{name}", timedelta(minutes=1)))
            assert found.headers["content-type"] == "application/octet-stream", name

    def test_an_address_for_sending_takes_a_file(self, store):
        link = store.upload_link("incoming/p.tar", timedelta(hours=1))
        assert httpx.put(link, content=b"a package").status_code == 200
        assert store.whole("incoming/p.tar") == b"a package"

    def test_a_file_of_several_parts_arrives_whole(self, store, made):
        long = bytes(range(256)) * (20 << 12)
        store.put(made({"long.mp4": long}), "match/one")
        assert store.whole("match/one/long.mp4") == long

    def test_two_portals_in_one_bucket_do_not_see_each_other(self, store, made, s3):
        from viewer.media.s3 import S3Store

        store.put(made(), "match/one")
        assert list(S3Store(f"s3://media/elsewhere?endpoint={s3}").listed()) == []

    def test_without_an_endpoint_it_is_amazons(self, s3):
        from viewer.media.s3 import S3Store

        store = S3Store("s3://club-media/portal?region=eu-west-1")
        link = store.view_link("match/one/a.mp4", timedelta(minutes=1))
        assert link.startswith(f"{store.origin}/club-media/portal/match/one/a.mp4?")
        assert store.origin == "https://s3.eu-west-1.amazonaws.com"

    def test_a_bucket_that_anybody_may_read_is_told_and_the_portal_does_not_start(self, s3, tmp_path):
        from viewer.media.s3 import S3Store

        with httpx.Client(base_url=s3, timeout=60) as client:
            assert client.put("/open").status_code == 200
            rule = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/*"}
            policy = {"Version": "2012-10-17", "Statement": [rule]}
            assert client.put("/open?policy", content=json.dumps(policy)).is_success
        url = f"s3://open/portal?endpoint={s3}"
        assert S3Store(url).open_to_anybody() is True
        with pytest.raises(BadSettings, match="block public access"):
            run_server(Settings(data=tmp_path / "portal", port=free_port(), store=url))
        assert not (tmp_path / "portal").exists()

    @pytest.mark.parametrize(
        "address", ["s3://none-such/portal?endpoint={0}", "s3://media?endpoint=http://127.0.0.1:1"]
    )
    def test_a_bucket_that_does_not_answer_cannot_be_told(self, s3, address):
        from viewer.media.s3 import S3Store

        with pytest.raises(OSError, match="does not answer"):
            S3Store(address.format(s3)).open_to_anybody()


@pytest.mark.parametrize("url", ["s3://", "s3://bucket?acl=public-read", "gs://bucket", "http://host/bucket"])
def test_a_store_that_cannot_be_is_refused_in_words(tmp_path, url):
    with pytest.raises(BadSettings, match="--media"):
        open_store(Settings(data=tmp_path, store=url))


def test_nginx_and_a_bucket_do_not_go_together(tmp_path):
    with pytest.raises(BadSettings, match="--x-accel"):
        open_store(Settings(data=tmp_path, store="s3://bucket", x_accel="/_media/"))


def test_another_folder_may_be_named(tmp_path):
    store = open_store(Settings(data=tmp_path, store=str(tmp_path / "disk")))
    assert isinstance(store, FolderStore)
    assert store.root == tmp_path / "disk"
