"""For developers: `python -m viewer.db.revising "What it is for"` writes the next migration.

It is what the models have and the migrations so far do not make: to be read, and completed by what carries the rows.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command

from viewer.db.engine import Database
from viewer.db.migrate import config_of, newest, upgrade


def write_revision(purpose: str, folder: Path) -> Path:
    """Write the migration after the newest one into `folder`; its file is named by `purpose`."""
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/portal.db")
        upgrade(database)
        with database.connecting() as connection:
            config = config_of(connection)
            versions = Path(config.get_main_option("script_location", "")) / "versions"
            config.set_main_option("version_locations", f"{versions}:{folder}".replace("%", "%%"))
            config.set_main_option("file_template", "%%(slug)s")
            number = f"{int(newest() or 0) + 1:04}"
            made = command.revision(config, purpose, autogenerate=True, version_path=str(folder), rev_id=number)
        database.close()
    assert made is not None
    assert not isinstance(made, list)
    return Path(made.path)


if __name__ == "__main__":
    sys.stdout.write(f"{write_revision(' '.join(sys.argv[1:]), Path(__file__).parent / 'migrations' / 'versions')}\n")
