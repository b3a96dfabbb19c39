"""Where things run. Entry points build it once and pass it down."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_PREFIX = "STYLEREC_"
_Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$")]


class Settings(BaseSettings):
    """Endpoints, folders and timeouts, each overridable as `STYLEREC_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    release_uri: str = ".stylerec/releases"
    """Root of all releases (fsspec URI or local folder); holds the `current` pointer."""
    preload_release_uri: str | None = None
    """Root whose release Triton keeps loaded besides the served one: a canary's. None for none."""
    release_cache: Path = Path(".stylerec/transformer_releases")
    """Where the routing transformer keeps copies of releases from a remote root."""
    model_repository: Path = Path(".stylerec/model_repository")
    """Triton's model repository, as the deploying process sees it."""
    feast_config: Path = Path("feature_repo/environments/local/feature_store.yaml")
    feast_workdir: Path = Path(".stylerec/feast")
    """Registry and offline files of the laptop's feature store."""
    feast_registry: str | None = None
    """Feast's registry on a cluster (fsspec URI or file); the laptop's is in `feast_workdir`."""
    redis_host: str = "127.0.0.1"
    redis_port: int = Field(default=6390, ge=1, le=65_535)
    redis_password: str | None = Field(default=None, repr=False)
    redis_use_tls: bool = False
    triton_host: str = "127.0.0.1"
    """Serves every model that `triton_hosts` does not name."""
    triton_hosts: dict[str, _Address] = {}
    """Model name to the `host:port` of a Triton of its own; JSON in the environment."""
    triton_http_port: int = Field(default=8000, ge=1, le=65_535)
    triton_grpc_port: int = Field(default=8001, ge=1, le=65_535)
    triton_metrics_port: int = Field(default=8002, ge=1, le=65_535)
    host: str = "127.0.0.1"
    """Address that the routing transformer listens on; `0.0.0.0` in a container."""
    http_port: int = Field(default=8080, ge=1, le=65_535)
    """The routing transformer's REST port."""
    grpc_port: int = Field(default=8081, ge=1, le=65_535)
    release_poll_s: float = Field(default=1.0, gt=0)
    dependency_timeout_s: float = Field(default=2.0, gt=0)
    """Longest wait for a dependency outside a request: readiness, release load, model control."""

    def environment(self) -> dict[str, str]:
        """Returns the environment variables that make another process build equal settings."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {
            f"{_PREFIX}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
        }
