"""Opens the feature store that `Settings` names and registers the definitions of `feature_repo`."""

import importlib
import sys
from pathlib import Path
from string import Template
from types import ModuleType
from typing import Any

import yaml
from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    FileSource,
    PushSource,
    RepoConfig,
)
from feast.errors import FeastError

from stylerec.errors import ConfigError
from stylerec.settings import Settings

FeastObject = Entity | FileSource | PushSource | FeatureView | FeatureService


def open_store(settings: Settings, *, with_offline: bool) -> FeatureStore:
    """Returns the feature store of `settings.feast_config`; nothing is contacted yet.

    The file's `${STYLEREC_...}` placeholders are filled in from `settings`.

    Args:
        settings: Names the configuration file and what its placeholders stand for.
        with_offline: Whether the offline store is needed. The serving environment has no DuckDB,
            and reading online needs none.

    Raises:
        ConfigError: The file is missing, is no Feast configuration, or has a placeholder that is
            no setting.
    """
    path = settings.feast_config
    values = settings.environment()
    values["STYLEREC_FEAST_WORKDIR"] = str(settings.feast_workdir.resolve())
    try:
        document: dict[str, Any] = yaml.safe_load(Template(path.read_text()).substitute(values))
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(
            str(path),
            expected="YAML",
            got=str(error).splitlines()[0],
            fix="correct the file",
        ) from error
    except FileNotFoundError as error:
        raise ConfigError(
            f"feast_config {path}",
            expected="a feature_store.yaml",
            got="no such file",
            fix="set STYLEREC_FEAST_CONFIG to one under feature_repo/environments",
        ) from error
    except KeyError as error:
        raise ConfigError(
            str(path),
            expected="placeholders of settings that have a value, such as ${STYLEREC_REDIS_HOST}",
            got=f"${{{error.args[0]}}}",
            fix=f"set {error.args[0]}, or correct the placeholder",
        ) from error
    if not with_offline:
        document.pop("offline_store", None)
    try:
        config = RepoConfig(**document, repo_path=settings.feast_workdir.resolve())
    except (FeastError, ValueError) as error:
        raise ConfigError(
            str(path),
            expected="a Feast configuration",
            got=str(error).splitlines()[0],
            fix="compare it with feature_repo/environments/local/feature_store.yaml",
        ) from error
    return FeatureStore(config=config)


def apply_definitions(store: FeatureStore, settings: Settings) -> None:
    """Registers everything defined in `feature_repo`, as `feast apply` does."""
    settings.feast_workdir.mkdir(parents=True, exist_ok=True)
    folder = settings.feast_config.resolve().parents[2]
    store.apply(load_definitions(folder, offline_root=settings.feast_workdir.resolve()))


def load_definitions(folder: Path, *, offline_root: Path) -> list[Any]:
    """Returns fresh copies of the Feast objects that the modules in `folder` define.

    Args:
        folder: The feature repository; its modules import each other by bare name.
        offline_root: Where relative file sources lie. Feast's DuckDB store would look for them
            in the current working directory.
    """
    found: dict[int, FeastObject] = {}
    for module in _import_by_bare_name(folder):
        for value in vars(module).values():
            if isinstance(value, FeastObject):
                found[id(value)] = value
    for value in found.values():
        if isinstance(value, FileSource):
            value.file_options.uri = str(offline_root / value.path)
    return list(found.values())


def _import_by_bare_name(folder: Path) -> list[ModuleType]:
    """Imports every module of `folder` afresh and leaves no trace in `sys`."""
    names = sorted(path.stem for path in folder.glob("*.py"))
    shadowed = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(shadowed)
