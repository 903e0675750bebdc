"""Other people's tus clients against our server."""

import asyncio
import os
import shutil

import pytest
from tusclient.client import TusClient as Tuspy
from tusclient.uploader import Uploader


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "match.tar"
    path.write_bytes(os.urandom(2_500_000))
    return path


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("chunk", [700_000, 10_000_000])
async def test_tuspy(site, file, checksum, chunk):
    def send():
        uploader: Uploader = Tuspy(site.url).uploader(
            str(file), chunk_size=chunk, metadata={"name": "größer"}, upload_checksum=checksum
        )
        uploader.upload()
        return uploader.url

    url = await asyncio.to_thread(send)
    assert site.accepted(url) == file.read_bytes()
    assert site.created == [({"name": "größer"}, 2_500_000, "")]


async def test_tuspy_goes_on_where_another_stopped(site, file):
    def send():
        first = Tuspy(site.url).uploader(str(file), chunk_size=1_000_000)
        first.upload_chunk()
        second = Tuspy(site.url).uploader(str(file), chunk_size=1_000_000, url=first.url)
        assert second.offset == 1_000_000
        second.upload()
        return second.url

    assert site.accepted(await asyncio.to_thread(send)) == file.read_bytes()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl(site, file):
    async def curl(*arguments):
        process = await asyncio.create_subprocess_exec(
            "curl", "-sS", "-i", "-H", "Tus-Resumable: 1.0.0", *arguments, stdout=asyncio.subprocess.PIPE
        )
        return (await process.communicate())[0].decode()

    answer = await curl("-X", "POST", "-H", "Upload-Length: 2500000", site.url)
    location = next(line.split()[1] for line in answer.splitlines() if line.lower().startswith("location:"))
    url = site.url.rsplit("/", 1)[0] + location
    kind = ("-H", "Content-Type: application/offset+octet-stream")
    answer = await curl("-X", "PATCH", *kind, "-H", "Upload-Offset: 0", "--data-binary", f"@{file}", url)
    assert " 204 " in answer
    assert site.accepted(url) == file.read_bytes()
