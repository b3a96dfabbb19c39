import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.evaluation.outfits import evaluate_outfits
from stylerec.models.outfit.artifacts import load_trained
from stylerec.models.outfit.export import (
    cpu_session,
    export_outfit,
    largest_difference,
    random_inputs,
    run_onnx,
)
from stylerec.models.outfit.generate import IMPOSSIBLE_SCORE, OutfitGenerator
from stylerec.schema.tensors import MODEL_SPECS, OUTFIT, OUTFIT_BEAM_WIDTH

_TYPES = {"INT64": "tensor(int64)", "FP32": "tensor(float)"}


@pytest.fixture(scope="module")
def exported(trained, prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outfit") / "exported"
    return folder, export_outfit(trained[0], prepared, folder)


@pytest.fixture(scope="module")
def graph(exported):
    arrays = {
        name: torch.from_numpy(array)
        for name, array in load_file(exported[0] / "style_embedding.safetensors").items()
    }
    return OutfitGenerator(
        arrays["style_embedding"],
        scale=arrays["scale"][0],
        bias=arrays["bias"][0],
        beam_width=OUTFIT_BEAM_WIDTH,
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

    def test_tensors_are_those_of_the_schema(self, session):
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
                    assert isinstance(size, str) if isinstance(dim, str) else size == dim

    def test_style_embedding_is_the_models(self, exported, trained, prepared):
        model, _ = load_trained(trained[0], PreparedData(prepared))
        arrays = load_file(exported[0] / "style_embedding.safetensors")
        np.testing.assert_array_equal(arrays["style_embedding"], model.style_table().numpy())
        assert arrays["scale"].tolist() == [pytest.approx(float(model.scale.detach()))]
        assert arrays["bias"].tolist() == [pytest.approx(float(model.bias.detach()))]

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
    @pytest.mark.parametrize(
        ("num_rows", "num_candidates", "max_len"),
        [(1, 1, 6), (5, 3, 6), (2, 40, 6), (7, 9, 2), (1, 0, 6), (3, 12, 0)],
    )
    def test_equals_the_framework(self, graph, session, num_rows, num_candidates, max_len):
        inputs = random_inputs(
            num_items=146,
            num_rows=num_rows,
            num_candidates=num_candidates,
            max_len=max_len,
            seed=num_rows,
        )
        expected = graph(**inputs)
        found = run_onnx(session, inputs)
        # Copies of an item tie exactly: both sides put the lower index first.
        np.testing.assert_array_equal(found[0], expected[0].numpy())
        for one, other in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=1e-4)

    def test_generates_outfits_of_one_mood(self, session):
        inputs = {
            "hero_index": torch.tensor([[2 + 36]]),
            "slot_candidate_index": torch.zeros(1, 5, 36, dtype=torch.int64),
            "history_item_index": torch.zeros(1, 6, dtype=torch.int64),
            "customer_weight": torch.zeros(1, 1),
        }
        for slot, kind in enumerate((1, 2, 3)):
            inputs["slot_candidate_index"][0, slot] = torch.arange(36) * 4 + 2 + kind
        items, score, _ = run_onnx(session, inputs)
        # The hero is a sober red dress; item i has colour i // 4 % 3 and mood i // 12 % 3.
        best = items[0, 0, :3] - 2
        assert (best % 4).tolist() == [1, 2, 3]
        assert (best // 4 % 3).tolist() == [0, 0, 0]
        assert (best // 12 % 3).tolist() == [0, 0, 0]
        assert (np.diff(score[0]) <= 0).all()
        assert (items[0, :, 3:] == 0).all()

    def test_impossible_beams_score_lowest(self, session):
        inputs = random_inputs(num_items=146, num_rows=2, num_candidates=1, max_len=6, seed=0)
        inputs["slot_candidate_index"][:] = 0
        inputs["slot_candidate_index"][1, 2] = 7
        inputs["hero_index"][:] = 5
        items, score, pairs = run_onnx(session, inputs)
        assert (score[0] == IMPOSSIBLE_SCORE).all()
        assert score[1, 0] > 0
        assert (score[1, 1:] == IMPOSSIBLE_SCORE).all()
        assert items[1, 0].tolist() == [0, 0, 7, 0, 0]
        assert not items[0].any()
        assert not pairs[0].any()


class TestLargestDifference:
    def test_finds_another_model(self, graph, exported):
        other = OutfitGenerator(
            graph.style_VD, scale=graph.scale, bias=graph.bias + 0.5, beam_width=OUTFIT_BEAM_WIDTH
        )
        path = exported[0] / "model.onnx"
        assert largest_difference(graph, path, max_len=6) < 1e-4
        assert largest_difference(other, path, max_len=6) > 1e-3
