"""Where things run. Entry points build it once and pass it down."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Endpoints, folders and timeouts, each overridable as `STYLEREC_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="STYLEREC_", frozen=True, extra="forbid")

    release_uri: str = ".stylerec/releases"
    """Root of all releases (fsspec URI or local folder); holds the `current` pointer."""
    release_cache: Path = Path(".stylerec/transformer_releases")
    """Where the routing transformer keeps copies of releases from a remote root."""
    model_repository: Path = Path(".stylerec/model_repository")
    """Triton's model repository, as the deploying process sees it."""
    feast_config: Path = Path("feature_repo/environments/local/feature_store.yaml")
    feast_workdir: Path = Path(".stylerec/feast")
    """Registry and offline files of the laptop's feature store."""
    redis_host: str = "127.0.0.1"
    redis_port: int = Field(default=6390, ge=1, le=65_535)
    triton_host: str = "127.0.0.1"
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
