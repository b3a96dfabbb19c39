import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from stylerec.settings import Settings

pytestmark = pytest.mark.serve_env

ROOT = Path(__file__).parents[3]


@pytest.fixture
def start(fixtures: ModuleType) -> Callable[[Settings], subprocess.Popen]:
    return lambda settings: subprocess.Popen(
        [sys.executable, "-m", "inference.transformer"],
        cwd=ROOT,
        env=fixtures.router_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestSettingsOf:
    def taken(self, *arguments, **settings):
        from inference.transformer.__main__ import settings_of

        return settings_of(arguments, Settings(**settings))

    def test_settings_hold_without_arguments(self):
        name, settings = self.taken(http_port=1_111, grpc_port=2_222)
        assert name == "recommender"
        assert settings == Settings(http_port=1_111, grpc_port=2_222)

    def test_takes_what_the_controller_injects(self):
        name, settings = self.taken(
            "--model_name", "shop",
            "--predictor_host", "shop-predictor.retail",
            "--http_port", "8080",
            http_port=1_111,
        )  # fmt: skip
        assert name == "shop"
        assert settings == Settings(
            http_port=8_080, triton_host="shop-predictor.retail", triton_http_port=80
        )

    def test_takes_the_manifest_s_arguments_beside_the_controller_s(self):
        manifest = ROOT / "manifests" / "base" / "recommender" / "inference-service.yaml"
        transformer = yaml.safe_load(manifest.read_text())["spec"]["transformer"]
        injected = ["--model_name", "recommender", "--predictor_host", "recommender-predictor.shop"]
        name, settings = self.taken(*transformer["containers"][0]["args"], *injected)
        ports = [port["containerPort"] for port in transformer["containers"][0]["ports"]]
        assert name == "recommender"
        assert [settings.http_port, settings.grpc_port] == ports
        assert settings.triton_host == "recommender-predictor.shop"

    def test_a_predictor_host_may_name_its_port(self):
        _, settings = self.taken("--predictor_host", "triton:8000")
        assert (settings.triton_host, settings.triton_http_port) == ("triton", 8_000)

    def test_takes_kserve_s_other_arguments(self):
        name, _ = self.taken("--predictor_protocol", "v2", "--enable_latency_logging", "false")
        assert name == "recommender"

    def test_refuses_an_unknown_argument(self):
        with pytest.raises(SystemExit):
            self.taken("--htp_port", "1")


class TestMain:
    @pytest.mark.parametrize("port", ["http_port", "grpc_port"])
    def test_a_taken_port_is_one_message_and_exit_code_2(self, start, settings, port):
        with socket.create_server(("127.0.0.1", getattr(settings, port))):
            process = start(settings)
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert f"STYLEREC_{port.upper()}" in errors.splitlines()[-1]
        assert "Traceback" not in errors

    def test_a_missing_feast_configuration_is_one_message(self, start, settings):
        wrong = settings.model_copy(update={"feast_config": Path("/nowhere/feature_store.yaml")})
        process = start(wrong)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "STYLEREC_FEAST_CONFIG" in errors.splitlines()[-1]
        assert "Traceback" not in errors

    def test_ctrl_c_ends_it_well(self, start, settings):
        process = start(settings)
        for line in process.stderr:
            if "no release is published" in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in errors
