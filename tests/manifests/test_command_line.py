"""What the manifests start is what the code takes."""

import importlib.util

import pytest

from manifests.checks.objects import MAIN_CONTAINER
from manifests.checks.rendering import MANIFESTS, Combination, render
from manifests.checks.rules.settings import settings_of
from stylerec.schema.tensors import MODEL_NAMES

ROOT = MANIFESTS.parent
PRODUCTION = render(Combination("production"))


def pod(workload):
    return next(each for each in PRODUCTION.pods if each.workload == workload)


def container(workload, name):
    return next(each for _, each in pod(workload).containers() if each["name"] == name)


class TestModelLoader:
    @pytest.mark.parametrize("workload", ["ranking-predictor", "next-item-predictor"])
    def test_is_told_its_model(self, workload):
        assert "$(MODELS)" in container(workload, "model-loader")["args"]
        assert pod(workload).annotations["stylerec.io/models"] in MODEL_NAMES

    def test_asks_the_triton_beside_it(self):
        settings = settings_of(PRODUCTION, container("outfit-predictor", "model-loader"))
        ports = container("outfit-predictor", MAIN_CONTAINER)["ports"]
        assert settings.triton_host == "127.0.0.1"
        assert settings.triton_http_port == ports[0]["containerPort"]
        assert str(settings.model_repository) == "/models"

    def test_its_module_exists(self):
        command = container("outfit-predictor", "model-loader")["command"]
        assert importlib.util.find_spec(command[2]) is not None


class TestRouter:
    def test_has_a_triton_for_every_model(self):
        settings = settings_of(PRODUCTION, container("recommender-transformer", MAIN_CONTAINER))
        assert set(settings.triton_hosts) == set(MODEL_NAMES)
        assert settings.host == "0.0.0.0"

    def test_reads_the_cluster_s_feature_store_from_its_image(self):
        settings = settings_of(PRODUCTION, container("recommender-transformer", MAIN_CONTAINER))
        relative = settings.feast_config.relative_to("/app")
        assert (ROOT / relative).is_file()

    @pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
    def test_probes_ask_its_own_port(self, probe):
        router = container("recommender-transformer", MAIN_CONTAINER)
        assert router[probe]["httpGet"]["port"] == router["ports"][0]["containerPort"]

    def test_readiness_asks_for_the_path_that_the_router_has(self):
        path = container("recommender-transformer", MAIN_CONTAINER)["readinessProbe"]["httpGet"][
            "path"
        ]
        assert f'"{path}"' in (ROOT / "inference/transformer/rest_server.py").read_text()
