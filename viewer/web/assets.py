"""The pages' own files and the front-end packages, at addresses that change with their content."""

import hashlib
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"


class Assets:
    """Everything below `viewer/static`, under `/static/<version>/`.

    The version is made from all files, so modules can import each other by relative paths and browsers may keep them.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self.folder = folder
        digest = hashlib.sha256()
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
        self.version = digest.hexdigest()[:12]

    def url(self, path: str) -> str:
        """The address of a file, as pages write it."""
        return f"/static/{self.version}/{path}"

    def file(self, path: str) -> Path | None:
        """The file behind an address; None when there is none inside the folder."""
        wanted = (self.folder / path.lstrip("/")).resolve()
        return wanted if wanted.is_relative_to(self.folder.resolve()) and wanted.is_file() else None
