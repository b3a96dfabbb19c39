from stylerec.settings import Settings


class TestEnvironment:
    def test_makes_another_process_build_equal_settings(self, monkeypatch):
        settings = Settings(
            http_port=9123,
            release_uri="s3://b/r",
            preload_release_uri="s3://b/canary",
            redis_password="p,w",
            redis_use_tls=True,
            triton_hosts={"outfit": "outfit-predictor:80"},
        )
        for name, value in settings.environment().items():
            monkeypatch.setenv(name, value)
        assert Settings() == settings

    def test_leaves_out_what_has_no_value(self):
        assert "STYLEREC_REDIS_PASSWORD" not in Settings().environment()

    def test_the_password_is_not_shown(self):
        assert "secret" not in repr(Settings(redis_password="secret"))
