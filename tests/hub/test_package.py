import hashlib
import tarfile

from hub.package import HEAD, listed, pack
from wire.ids import session_id
from wire.match import MatchPackage, MatchSheet, Team
from wire.message import decode
from wire.pitch import Pitch


def test_a_package_begins_with_its_head_and_holds_just_the_files_it_lists(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "panorama.mp4").write_bytes(b"video" * 1000)
    (tmp_path / "clips" / "a.mp4").write_bytes(b"clip")
    (tmp_path / "secret.txt").write_text("not listed")
    files = listed(tmp_path, ["panorama.mp4", "clips/a.mp4"])
    assert files[1].sha256 == hashlib.sha256(b"clip").hexdigest()
    package = MatchPackage(
        session=session_id("s"),
        sheet=MatchSheet(title="t", pitch=Pitch(), home=Team("h"), away=Team("a")),
        start_ns=1,
        duration_s=2.0,
        panorama="panorama.mp4",
        panorama_width_px=2,
        panorama_height_px=2,
        poster="",
        tracks="",
        events=(),
        clips=(),
        statistics=(),
        files=files,
    )
    pack(package, tmp_path, tmp_path / "package.tar")
    with tarfile.open(tmp_path / "package.tar") as tar:
        assert tar.getnames() == [HEAD, "panorama.mp4", "clips/a.mp4"]
        assert decode(tar.extractfile(HEAD).read(), MatchPackage) == package
        assert tar.extractfile("clips/a.mp4").read() == b"clip"
