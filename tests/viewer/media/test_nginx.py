"""The portal behind Debian's nginx with the configuration that we ship: files at full speed, and not one too many."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from viewer.accounts.people import make_user
from viewer.audit.models import AuditEntry
from viewer.clock import now
from viewer.clubs.rosters import make_organization, make_parent, make_player, make_team
from viewer.db import Database
from viewer.settings import Settings

SITE = Path(__file__).parents[3] / "images" / "viewer" / "nginx.conf"
SESSION = "1795344000-0a1b2c3d4e"
VIDEO = f"/matches/{SESSION}/media/panorama.mp4"
A_YEAR_S = 365 * 24 * 3600
pytestmark = pytest.mark.slow


@dataclass
class Front:
    """An nginx before a portal."""

    url: str
    folder: Path
    trust: ssl.SSLContext
    portal: object
    plain: int

    @contextmanager
    def client(self, who: tuple[str, str] | None = None, **more: object) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.url, verify=self.trust, **more) as client:
            if who:
                assert client.post("/sign-in", data={"mail": who[0], "password": who[1]}).status_code == 303
            yield client


def nginx() -> str:
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("nginx is not installed: apt-get install nginx-light")
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certify(folder: Path) -> ssl.SSLContext:
    """A certificate for localhost that signs itself; returns what trusts it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ssl.create_default_context(cafile=str(folder / "fullchain.pem"))


def configure(folder: Path, media: Path, plain: int, secure: int, behind: int) -> Path:
    """Our site, with what its reader is told to change changed, in an nginx of its own."""
    site = SITE.read_text()
    for ours, here in (
        ("https://portal.example.org", f"https://localhost:{secure}"),
        ("portal.example.org;", "localhost;"),
        ("/etc/letsencrypt/live/portal.example.org", str(folder)),
        ("/var/lib/touchline/portal/media/", f"{media}/"),
        ("/var/log/nginx/touchline.log", str(folder / "access.log")),
        ("listen 443", f"listen 127.0.0.1:{secure}"),
        ("listen 80", f"listen 127.0.0.1:{plain}"),
        ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
    ):
        assert ours in site, ours
        site = site.replace(ours, here)
    (folder / "site.conf").write_text(site)
    temp = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    whole = f"""{"user root;" if os.geteuid() == 0 else ""} daemon off; worker_processes 1; pid {folder}/pid;
    error_log {folder}/error.log; events {{}} http {{ {temp} include {folder}/site.conf; }}"""
    (folder / "nginx.conf").write_text(whole)
    return folder / "nginx.conf"


@pytest.fixture(scope="module")
def front(portal_with_match, tmp_path_factory) -> Iterator[Front]:
    program, folder = nginx(), tmp_path_factory.mktemp("nginx")
    trust, plain, secure = certify(folder), free_port(), free_port()
    portal = replace(portal_with_match, port=free_port())
    url = f"https://localhost:{secure}"
    serving = portal.start("serve", "--public-url", url, "--x-accel", "/_media/", "--trusted-proxy", "127.0.0.1")
    config = configure(folder, portal.data / "media", plain, secure, portal.port)
    before = subprocess.Popen([program, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        made = Front(url, folder, trust, portal, plain)

        def up() -> bool:
            try:
                return httpx.get(f"{url}/healthz", verify=trust).status_code == 200
            except httpx.TransportError:
                return False

        portal.wait_for(up, "the start of portal and nginx")
        yield made
    finally:
        for process in (before, serving):
            process.terminate()
            process.wait(10)


def test_the_configuration_is_one_that_nginx_takes(front):
    done = subprocess.run(
        [nginx(), "-t", "-c", str(front.folder / "nginx.conf"), "-e", "/dev/null"], capture_output=True, check=False
    )
    assert b"syntax is ok" in done.stderr, done.stderr
    assert b"warn" not in done.stderr, done.stderr


def test_nginx_sends_the_video_whole_in_parts_or_not_at_all(front, made_package):
    whole = made_package.files["panorama.mp4"]
    size = len(whole)
    with front.client(front.portal.parent) as browser:

        def ask(method: str = "GET", **headers: str) -> httpx.Response:
            return browser.request(method, VIDEO, headers={k.replace("_", "-"): v for k, v in headers.items()})

        full = ask()
        assert (full.status_code, full.content) == (200, whole)
        assert full.headers["content-type"] == "video/mp4"
        assert full.headers["server"] == "nginx"
        part = ask(Range="bytes=100-299")
        assert (part.status_code, part.content) == (206, whole[100:300])
        assert part.headers["content-range"] == f"bytes 100-299/{size}"
        assert ask(Range="bytes=-50").content == whole[-50:]
        assert ask(Range=f"bytes={size}-").status_code == 416
        several = ask(Range="bytes=0-9,20-29")
        assert several.status_code == 206
        assert several.headers["content-type"].startswith("multipart/byteranges")
        assert whole[:10] in several.content
        assert whole[20:30] in several.content
        assert ask(If_None_Match=full.headers["etag"]).status_code == 304
        assert ask(Range="bytes=0-9", If_Range='"another"').content == whole
        head = ask("HEAD")
        assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")


def test_files_that_nginx_sends_carry_the_security_headers_and_no_cookie(front):
    with front.client(front.portal.parent) as browser:
        headers = browser.get(VIDEO, headers={"Range": "bytes=0-9"}).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert int(re.fullmatch(r"max-age=(\d+)", headers["strict-transport-security"])[1]) >= A_YEAR_S
    assert headers["cache-control"].startswith("private")
    assert headers["content-disposition"] == "inline"
    assert "set-cookie" not in headers
    assert "x-accel-redirect" not in headers


def test_the_internal_place_is_closed_to_everybody(front):
    [video] = (front.portal.data / "media").rglob("panorama.mp4")
    place = f"/_media/{video.relative_to(front.portal.data / 'media').as_posix()}"
    for who in (None, front.portal.parent):
        with front.client(who) as browser:
            for address in (place, f"/x/..{place}", place.replace("/_media/", "/_media//"), "/_media/../portal.db"):
                assert browser.get(address).status_code in (400, 404), address


def test_nobody_and_no_other_clubs_parent_gets_a_byte(front):
    database = Database(Settings(data=front.portal.data).database_url)
    stranger = ("nginx-stranger@example.org", "other pitch 33")
    with database.writing() as session:
        team = make_team(session, make_organization(session, "A third club", now()), "Riverside Rovers", now())
        user = make_user(session, stranger[0], "Stranger", stranger[1], now())
        make_parent(session, user, make_player(session, team, "Sam", "Strange", now().date(), now()), "parent", now())
    database.close()
    for who, status in ((None, 401), (stranger, 404)):
        with front.client(who) as browser:
            for method in ("GET", "HEAD"):
                answer = browser.request(method, VIDEO)
                assert answer.status_code == status
                assert "x-accel-redirect" not in answer.headers


def test_a_file_outside_the_package_is_not_served_through_nginx_either(front):
    with front.client(front.portal.parent) as browser:
        for path in ("package.json", "..%2f..%2f..%2fportal.db", "../../../portal.db", "%2e%2e/%2e%2e/portal.db"):
            assert browser.get(f"/matches/{SESSION}/media/{path}").status_code in (400, 404), path


def test_what_is_saved_has_its_name_and_can_be_gone_on_with(front, made_package):
    with front.client(front.portal.coach) as browser:
        link = browser.post(f"/matches/{SESSION}/download").headers["location"]
        answer = browser.get(link, headers={"Range": "bytes=5-"})
        assert (answer.status_code, answer.content) == (206, made_package.files["panorama.mp4"][5:])
        assert "Riverside Rovers - Hillside United" in answer.headers["content-disposition"]
    assert "/media/" not in (front.folder / "access.log").read_text().replace(f"{SESSION}/media/", "")


def test_the_portal_hears_the_real_address_whatever_the_client_says_of_itself(front):
    with (
        front.client(
            front.portal.coach,
            transport=httpx.HTTPTransport(local_address="127.0.0.77", verify=front.trust),
            headers={"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"},
        ) as browser,
    ):
        browser.post(f"/matches/{SESSION}/download")
    database = Database(Settings(data=front.portal.data).database_url)
    with database.reading() as session:
        newest = session.scalars(
            select(AuditEntry).where(AuditEntry.act == "download").order_by(AuditEntry.id.desc()).limit(1)
        ).one()
    database.close()
    assert newest.address == "127.0.0.77"


def test_plain_http_leads_to_https(front):
    answer = httpx.get(f"http://localhost:{front.plain}/sign-in?next=/account")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{front.url}/sign-in?next=/account"


def test_a_hubs_upload_goes_straight_through_piece_by_piece(front):
    key = {"Authorization": f"Bearer {front.portal.key}", "Tus-Resumable": "1.0.0"}
    told = "session MTc5NTM0NDAwMC1hYWFhYWFhYWFh,kind bWF0Y2gtcGFja2FnZQ=="
    length = 32 << 20
    with front.client() as hub:
        made = hub.post("/api/v1/uploads", headers={**key, "Upload-Length": str(length), "Upload-Metadata": told})
        assert made.status_code == 201, made.text
        place = httpx.URL(made.headers["location"]).path
        port = httpx.URL(front.url).port
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            front.trust.wrap_socket(raw, server_hostname="localhost") as line,
        ):
            lines = {
                **key,
                "Host": f"localhost:{port}",
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": "0",
                "Content-Length": str(length),
            }
            head = f"PATCH {place} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            line.sendall(head.encode() + b"\r\n" + bytes(14 << 20))
            # The rest never comes. An nginx that waited for all of it would have told the portal nothing so far.
            data = front.portal.data / "uploads" / f"{place.rpartition('/')[2]}.data"
            front.portal.wait_for(lambda: data.stat().st_size >= 8 << 20, "that what comes is written as it comes")
            # Only now: who asks how far an upload is takes it over, and what still comes on the old line is let fall.
            assert int(hub.head(place, headers=key).headers["upload-offset"]) >= 8 << 20
        assert hub.delete(place, headers=key).status_code == 204


def test_no_other_body_may_be_huge(front):
    with front.client() as browser:
        assert browser.post("/sign-in", content=bytes(13 << 20)).status_code == 413
