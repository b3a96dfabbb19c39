"""What KServe 0.20 in Standard mode accepts without a word and does not do, or refuses late."""

from collections.abc import Iterator
from dataclasses import replace

from manifests.checks.finding import Finding
from manifests.checks.objects import MAIN_CONTAINER, Build, at
from stylerec.schema.tensors import MODEL_SPECS

MODELS_ANNOTATION = "stylerec.io/models"
_MODE = "serving.kserve.io/deploymentMode"
_FRAMEWORKS = {"sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface"}
_FRAMEWORKS |= {"pmml", "lightgbm", "paddle", "model"}
# Set by an InferenceService, KServe's webhook refuses it; the image sets it.
_BLOCKED_VARIABLES = {"PYTHONPATH"}


def standard_mode(build: Build) -> Iterator[Finding]:
    """Every InferenceService says that it wants plain Deployments."""
    for isvc in build.of_kind("InferenceService"):
        mode = isvc["metadata"].get("annotations", {}).get(_MODE)
        if mode != "Standard":
            yield build.finding(
                isvc, f"metadata.annotations[{_MODE}]", expected="Standard", got=mode,
                fix="set it; the cluster's default may be Knative",
            )  # fmt: skip


def one_predictor(build: Build) -> Iterator[Finding]:
    """An InferenceService has one predictor; of two, one is ignored."""
    for isvc in build.of_kind("InferenceService"):
        predictor = isvc["spec"].get("predictor", {})
        found = sorted(_FRAMEWORKS & set(predictor))
        found += ["containers"] if predictor.get("containers") else []
        if len(found) != 1:
            yield build.finding(
                isvc, "spec.predictor", expected="one of model or containers",
                got=", ".join(found) or "none", fix="keep one; sidecars go into the ServingRuntime",
            )  # fmt: skip


def known_runtime(build: Build) -> Iterator[Finding]:
    """A predictor's runtime is one of ours, which is pinned, and not KServe's of 2023."""
    for isvc in build.of_kind("InferenceService"):
        runtime = at(isvc, "spec.predictor.model.runtime")
        if at(isvc, "spec.predictor.model") and build.find("ServingRuntime", runtime) is None:
            yield build.finding(
                isvc, "spec.predictor.model.runtime", expected="a ServingRuntime of this build",
                got=runtime, fix="name `triton`",
            )  # fmt: skip


def no_storage_uri_in_transformer(build: Build) -> Iterator[Finding]:
    """A transformer downloads no model; STORAGE_URI would make KServe add an init container."""
    for isvc in build.of_kind("InferenceService"):
        for container in at(isvc, "spec.transformer.containers", []):
            for variable in container.get("env", []):
                if variable["name"] == "STORAGE_URI":
                    yield build.finding(
                        isvc, "spec.transformer.containers[].env[STORAGE_URI]", expected="none",
                        got=variable.get("value"),
                        fix="remove it; the router reads releases from STYLEREC_RELEASE_URI",
                    )  # fmt: skip


def no_canary_traffic(build: Build) -> Iterator[Finding]:
    """KServe's own canaries do nothing here: a field of Knative's, and one that is not routed."""
    for isvc in build.of_kind("InferenceService"):
        for path in (
            "spec.predictor.canaryTrafficPercent",
            "spec.transformer.canaryTrafficPercent",
            "spec.canary",
        ):
            if at(isvc, path) is not None:
                yield build.finding(
                    isvc, path, expected="none in Standard mode", got=at(isvc, path),
                    fix="use components/canary: two InferenceServices and a weighted HTTPRoute",
                )  # fmt: skip


def served_models(build: Build) -> Iterator[Finding]:
    """Triton serves models that a release has, and is ready with one that it serves."""
    for pod in build.pods:
        if pod.labels.get("component") != "predictor":
            continue
        served = pod.annotations.get(MODELS_ANNOTATION, "").split(",")
        unknown = sorted(set(served) - set(MODEL_SPECS))
        if unknown:
            yield build.finding(
                pod.owner, f"{pod.path}.annotations[{MODELS_ANNOTATION}]",
                expected=f"models of a release ({', '.join(MODEL_SPECS)})",
                got=", ".join(unknown) or "none", fix="name models as in stylerec.schema.tensors",
            )  # fmt: skip
            continue
        for container in pod.spec["containers"]:
            probe = at(container, "readinessProbe.httpGet.path", "")
            asked = probe.removeprefix("/v2/models/").split("/")[0]
            if container["name"] == MAIN_CONTAINER and asked not in served:
                yield build.finding(
                    pod.owner, f"{pod.path}.model.readinessProbe.httpGet.path",
                    expected=f"/v2/models/<one of {', '.join(served)}>/ready", got=probe or "none",
                    fix="ask for a model: a Triton without one is live and useless",
                )  # fmt: skip


def models_beside(build: Build, released: frozenset[str]) -> Iterator[Finding]:
    """Every model that a Triton serves is in the release; of others no Triton becomes ready."""
    for isvc in build.of_kind("InferenceService"):
        annotations = at(isvc, "spec.predictor.annotations", {})
        served = set(annotations.get(MODELS_ANNOTATION, "").split(","))
        has_pods = at(isvc, "spec.predictor.minReplicas") != 0
        if has_pods and served - released:
            found = build.finding(
                isvc, f"spec.predictor.annotations[{MODELS_ANNOTATION}]",
                expected=f"models of the release ({', '.join(sorted(released))})",
                got=", ".join(sorted(served)),
                fix="delete the InferenceService by a patch, or train the model",
            )  # fmt: skip
            yield replace(found, rule="models-beside")


def blocked_variables(build: Build) -> Iterator[Finding]:
    """No variable that KServe's webhook refuses."""
    for pod in build.pods:
        if pod.owner["kind"] == "InferenceService":
            for path, container in pod.containers():
                for variable in container.get("env", []):
                    if variable["name"] in _BLOCKED_VARIABLES:
                        yield build.finding(
                            pod.owner, f"{path}.env[{variable['name']}]", expected="none",
                            got=variable.get("value"), fix="set it in the image instead",
                        )  # fmt: skip
