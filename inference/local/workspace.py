"""The folder that one retailer's local releases, feature store, runs and logs live in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from inference.local.services import REPOSITORY_ROOT
from stylerec.errors import DataError
from stylerec.settings import Settings

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Workspace:
    """Where one retailer's data and everything made from it lie.

    Attributes:
        folder: Folder of everything that the local stack writes for this retailer.
        tables: Canonical tables to train on.
        is_synthetic: The tables are the generated retailer's.
        settings: Endpoints of the local stack, with folders inside `folder`.
    """

    folder: Path
    tables: Path
    is_synthetic: bool
    settings: Settings

    @property
    def runs(self) -> Path:
        """Pipeline runs and their artifacts."""
        return self.folder / "runs"

    @property
    def logs(self) -> Path:
        """Logs of the local processes."""
        return self.folder / "logs"


def open_workspace(data: Path | None, *, root: Path = REPOSITORY_ROOT / ".stylerec") -> Workspace:
    """Returns the workspace of a folder of tables, or of the synthetic retailer.

    Args:
        data: Folder of canonical tables, None for the synthetic retailer.
        root: Folder of all workspaces.

    Raises:
        DataError: `data` is not a folder.
    """
    if data is not None and not data.is_dir():
        raise DataError(
            str(data),
            expected="a folder of canonical tables",
            got="a file" if data.exists() else "nothing",
            fix="make one with `stylerec import <format> <source> <folder>`",
        )
    name = SYNTHETIC if data is None else _folder_name(data.resolve())
    folder = root / name
    settings = Settings().model_copy(
        update={
            "release_uri": str(folder / "releases"),
            "model_repository": folder / "model_repository",
            "feast_workdir": folder / "feast",
            "feast_config": REPOSITORY_ROOT / Settings().feast_config,
        }
    )
    tables = folder / "tables" if data is None else data.resolve()
    return Workspace(folder, tables, is_synthetic=data is None, settings=settings)


def _folder_name(data: Path) -> str:
    # Two folders may share a name, and their releases must not meet.
    return f"{data.name}-{hashlib.sha256(str(data).encode()).hexdigest()[:6]}"
