from manifests.checks.objects import Build

RUNTIME = {
    "kind": "ServingRuntime",
    "metadata": {"name": "triton"},
    "spec": {
        "containers": [
            {
                "name": "kserve-container",
                "image": "triton:1.0",
                "ports": [
                    {"name": "http", "containerPort": 8000},
                    {"name": "metrics", "containerPort": 8002},
                ],
            },
            {"name": "loader", "image": "loader:1.0"},
        ],
        "volumes": [{"name": "models", "emptyDir": {}}],
    },
}


def service(**predictor):
    predictor = {"model": {"runtime": "triton", "modelFormat": {"name": "triton"}}, **predictor}
    return {
        "kind": "InferenceService",
        "metadata": {"name": "ranking", "labels": {"team": "shop"}},
        "spec": {"predictor": predictor},
    }


def only_pod(*documents):
    (pod,) = Build("b", list(documents)).pods
    return pod


class TestInferenceServicePod:
    def test_has_the_runtime_s_containers_with_the_model_s_fields(self):
        isvc = service()
        isvc["spec"]["predictor"]["model"]["resources"] = {"limits": {"cpu": "1"}}
        pod = only_pod(RUNTIME, isvc)
        main, loader = (container for _, container in pod.containers())
        assert main["image"] == "triton:1.0"
        assert main["resources"] == {"limits": {"cpu": "1"}}
        assert "runtime" not in main
        assert loader["name"] == "loader"
        assert pod.spec["volumes"] == [{"name": "models", "emptyDir": {}}]

    def test_leaves_the_runtime_as_it_was(self):
        only_pod(RUNTIME, service())
        assert "resources" not in RUNTIME["spec"]["containers"][0]

    def test_has_the_controller_s_name_and_labels(self):
        pod = only_pod(RUNTIME, service())
        assert pod.workload == "ranking-predictor"
        assert pod.labels == {
            "team": "shop",
            "serving.kserve.io/inferenceservice": "ranking",
            "component": "predictor",
            "app": "isvc.ranking-predictor",
        }


class TestServices:
    def test_kserve_s_first_port_is_80_and_the_others_are_their_own(self):
        build = Build("b", [RUNTIME, service()])
        ports = build.services["ranking-predictor"].ports
        assert ports == {"http": (80, 8000), "metrics": (8002, 8002)}

    def test_a_logger_s_agent_stands_before_the_first_port(self):
        build = Build("b", [RUNTIME, service(logger={"mode": "all"})])
        assert build.services["ranking-predictor"].ports["http"] == (80, 9081)
