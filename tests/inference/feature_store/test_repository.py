from pathlib import Path

import pytest

from inference.feature_store.repository import open_store
from stylerec.errors import ConfigError
from stylerec.settings import Settings

ENVIRONMENTS = Path(__file__).parents[3] / "feature_repo" / "environments"


def settings_with(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "feature_store.yaml"
    path.write_text(text)
    return Settings(feast_config=path, feast_workdir=tmp_path / "feast", redis_port=7_777)


class TestOpenStore:
    def test_fills_placeholders_from_settings(self, settings):
        store = open_store(settings, with_offline=False)
        assert store.config.registry.path == str(settings.feast_workdir / "registry.db")
        connection = store.config.online_store.connection_string
        assert connection.startswith(f"127.0.0.1:{settings.redis_port},")

    def test_a_cluster_s_store_takes_registry_password_and_tls_from_settings(self, tmp_path):
        settings = Settings(
            feast_config=ENVIRONMENTS / "cluster" / "feature_store.yaml",
            feast_workdir=tmp_path / "feast",
            feast_registry="s3://stylerec/feast/registry.db",
            redis_host="redis",
            redis_port=6_379,
            redis_password="secret",
            redis_use_tls=True,
        )
        config = open_store(settings, with_offline=False).config
        assert config.registry.path == "s3://stylerec/feast/registry.db"
        parts = config.online_store.connection_string.split(",")
        assert parts[:3] == ["redis:6379", "password=secret", "ssl=true"]

    def test_a_cluster_s_store_asks_for_what_is_not_set(self, tmp_path):
        settings = Settings(feast_config=ENVIRONMENTS / "cluster" / "feature_store.yaml")
        with pytest.raises(ConfigError, match="set STYLEREC_FEAST_REGISTRY"):
            open_store(settings, with_offline=False)

    def test_gives_up_on_a_dead_redis_at_once(self, settings):
        store = open_store(settings, with_offline=False)
        assert "retry=null" in store.config.online_store.connection_string.split(",")

    def test_raises_when_the_file_is_missing(self, tmp_path):
        settings = Settings(feast_config=tmp_path / "none.yaml")
        with pytest.raises(ConfigError, match="STYLEREC_FEAST_CONFIG"):
            open_store(settings, with_offline=False)

    def test_raises_on_an_unknown_placeholder(self, tmp_path):
        settings = settings_with(tmp_path, "project: ${STYLEREC_PROJEKT}")
        with pytest.raises(ConfigError, match="STYLEREC_PROJEKT"):
            open_store(settings, with_offline=False)

    @pytest.mark.parametrize(
        "text",
        [
            "project: [",
            "project: x\nonline_store: {type: no_such_store}",
            "project: x\nonline_store: {type: redis, connection_sting: a}",
            "project: _x",
        ],
    )
    def test_raises_on_a_file_that_is_no_configuration(self, tmp_path, text):
        with pytest.raises(ConfigError, match=r"feature_store\.yaml"):
            open_store(settings_with(tmp_path, text), with_offline=False)
