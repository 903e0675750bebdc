"""A private PostgreSQL in a temporary folder, for benches."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = "-c listen_addresses='' -c shared_buffers=512MB -c max_connections=100 -c jit=off -c random_page_cost=1.1"


@contextmanager
def private_postgres(settings: str = SETTINGS) -> Iterator[str]:
    """An empty database on a server of its own, durable as it is shipped; yields SQLAlchemy's address."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    binaries, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="touchline-bench-"))
    # initdb refuses to run as root.
    as_other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, "nobody", "nogroup")
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}

    def call(program: str, *words: str) -> None:
        command = [*as_other, str(binaries / program), "-D", str(folder / "cluster"), *words]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{program} failed: {done.stdout}{done.stderr}")

    call("initdb", "-U", "touchline", "--auth=trust", "--encoding=UTF8", "-N")
    call("pg_ctl", "-o", f"-k {folder} {settings}", "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://touchline@/postgres?host={folder}"
    finally:
        call("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
