import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy.special import expit

from stylerec.data.outfits import pad_outfits, split_outfits
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.evaluation.outfits import evaluate_outfits
from stylerec.models.outfit.artifacts import load_set_tables, load_trained
from stylerec.models.outfit.export import (
    cpu_session,
    export_outfit,
    largest_difference,
    random_inputs,
    run_onnx,
    write_onnx,
)
from stylerec.models.outfit.scoring_graph import OutfitScorer
from stylerec.models.outfit.set_scorer import fit_set_scorer
from stylerec.schema.tensors import MODEL_SPECS, OUTFIT

_TYPES = {"INT64": "tensor(int64)", "FP32": "tensor(float)"}


@pytest.fixture(scope="module")
def exported(trained, prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outfit") / "exported"
    return folder, export_outfit(trained[0], prepared, folder)


@pytest.fixture(scope="module")
def graph(exported, trained):
    arrays = {
        name: torch.from_numpy(array)
        for name, array in load_file(exported[0] / "style_embedding.safetensors").items()
    }
    return OutfitScorer(
        arrays["style_embedding"],
        scale=arrays["scale"][0],
        bias=arrays["bias"][0],
        tables=load_set_tables(trained[0], num_items=146),
    )


@pytest.fixture(scope="module")
def session(exported):
    return cpu_session(exported[0] / "model.onnx")


class TestExportOutfit:
    def test_writes_its_folder(self, exported, config):
        folder, result = exported
        assert {path.name for path in folder.iterdir()} == {
            "model.onnx",
            "style_embedding.safetensors",
            "templates.json",
            "config.json",
            "export.json",
        }
        assert json.loads((folder / "export.json").read_text()) == result.model_dump()
        assert result.max_abs_difference <= 1e-4
        assert (result.num_items, result.embedding_dim) == (146, config.embedding_dim)
        assert result.max_history_len == config.max_history_len
        assert result.scorer == "set"

    def test_tensors_are_those_of_the_schema(self, session, config):
        spec = MODEL_SPECS[OUTFIT]
        for tensors, found in (
            (spec.inputs, session.get_inputs()),
            (spec.outputs, session.get_outputs()),
        ):
            assert [t.name for t in tensors] == [f.name for f in found]
            assert [_TYPES[t.dtype] for t in tensors] == [f.type for f in found]
            for tensor, other in zip(tensors, found, strict=True):
                assert len(tensor.dims) == len(other.shape)
                for dim, size in zip(tensor.dims, other.shape, strict=True):
                    expected = config.embedding_dim if dim == "D" else dim
                    assert isinstance(size, str) if isinstance(expected, str) else size == expected

    def test_style_embedding_is_the_models(self, exported, trained, prepared):
        model, _ = load_trained(trained[0], PreparedData(prepared))
        arrays = load_file(exported[0] / "style_embedding.safetensors")
        np.testing.assert_array_equal(arrays["style_embedding"], model.style_table().numpy())
        assert arrays["scale"].tolist() == [pytest.approx(float(model.scale.detach()))]
        assert arrays["bias"].tolist() == [pytest.approx(float(model.bias.detach()))]
        norm = np.sqrt((arrays["style_embedding"][2:] ** 2).sum(axis=1).mean())
        assert arrays["customer_norm"].tolist() == [pytest.approx(float(norm), rel=1e-5)]

    def test_templates_name_product_types(self, exported):
        templates = json.loads((exported[0] / "templates.json").read_text())
        assert set(templates) == {"*", "dress", "shoes", "bag", "hat"}
        for hero, listed in templates.items():
            assert all(hero not in template and 2 <= len(template) <= 3 for template in listed)

    def test_is_evaluated_above_chance(self, exported, prepared):
        metrics = evaluate_outfits(exported[0], PreparedData(prepared))
        assert metrics.auc > 0.8
        assert metrics.fitb > 0.5

    def test_refuses_a_graph_that_differs(self, trained, prepared, tmp_path, monkeypatch):
        monkeypatch.setattr("stylerec.models.outfit.export.write_onnx", lambda *_, **__: None)
        monkeypatch.setattr(
            "stylerec.models.outfit.export.largest_difference", lambda *_, **__: float("nan")
        )
        with pytest.raises(ReleaseError, match="PyTorch's scores within"):
            export_outfit(trained[0], prepared, tmp_path / "exported")
        assert not (tmp_path / "exported").exists()


class TestOnnx:
    @pytest.mark.parametrize(("num_rows", "max_len"), [(1, 6), (5, 6), (2, 2), (3, 0)])
    def test_equals_the_framework(self, graph, session, num_rows, max_len):
        inputs = random_inputs(num_items=146, num_rows=num_rows, max_len=max_len, seed=num_rows)
        expected = graph(**inputs)
        for one, other in zip(run_onnx(session, inputs), expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=1e-4, rtol=1e-5)

    def test_scores_with_the_sum_of_pairs_as_the_model_does(self, trained, prepared, tmp_path):
        model, _ = load_trained(trained[0], PreparedData(prepared))
        scale, bias = model.scale.detach(), model.bias.detach()
        write_onnx(
            OutfitScorer(model.style_table(), scale=scale, bias=bias).eval(),
            tmp_path / "model.onnx",
            max_len=6,
        )
        inputs = random_inputs(num_items=146, num_rows=6, max_len=6, seed=0)
        outfits = inputs["outfit_item_index"].clamp(0, 145)
        with torch.inference_mode():
            expected = torch.sigmoid(model(outfits)).numpy()
        session = cpu_session(tmp_path / "model.onnx")
        _, compatibility, *_ = run_onnx(session, {**inputs, "outfit_item_index": outfits})
        np.testing.assert_allclose(compatibility, expected, atol=1e-5)

    def test_scores_with_the_set_scorer_as_numpy_does(self, trained, prepared, session):
        data = PreparedData(prepared)
        style_VD = load_trained(trained[0], data)[0].style_table().numpy()
        split = split_outfits(data.outfits)
        scorer, _ = fit_set_scorer(data.items, split, style_VD, max_partners=128)
        outfits = pad_outfits(split.test)
        inputs = random_inputs(num_items=146, num_rows=len(outfits), max_len=6, seed=0)
        whole = {**inputs, "outfit_item_index": torch.from_numpy(outfits)}
        _, compatibility, *_ = run_onnx(session, whole)
        np.testing.assert_allclose(compatibility, expit(scorer(outfits)), atol=1e-4)

    def test_order_and_padding_change_no_score(self, session):
        inputs = random_inputs(num_items=146, num_rows=20, max_len=6, seed=3)
        outfits = inputs["outfit_item_index"]
        moved = torch.nn.functional.pad(outfits.flip(1), (2, 1))
        one = run_onnx(session, inputs)[1]
        other = run_onnx(session, {**inputs, "outfit_item_index": moved})[1]
        np.testing.assert_allclose(one, other, atol=1e-5)


class TestLargestDifference:
    def test_finds_another_model(self, graph, exported):
        other = OutfitScorer(graph.style_VD, scale=graph.scale, bias=graph.bias)
        path = exported[0] / "model.onnx"
        assert largest_difference(graph, path, max_len=6) < 1e-4
        assert largest_difference(other, path, max_len=6) > 1e-3
