"""Redis, prepared data and releases as in the feature store's tests."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_FOLDER = Path(__file__).parent
_spec = importlib.util.spec_from_file_location(
    "feature_store_fixtures", _FOLDER.parent / "feature_store" / "conftest.py"
)
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

redis_server = _fixtures.redis_server
redis_port = _fixtures.redis_port
settings = _fixtures.settings
prepare = _fixtures.prepare
build = _fixtures.build


@pytest.fixture(scope="session")
def fixtures() -> ModuleType:
    """The functions behind the fixtures, for fixtures of a wider scope."""
    return _fixtures


# The other environments have no kserve: there these files belong to nobody.
collect_ignore = [
    path.name
    for path in _FOLDER.glob("test_*.py")
    if importlib.util.find_spec("kserve") is None and "mark.serve_env" in path.read_text()
]
