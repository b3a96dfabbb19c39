import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from safetensors.numpy import load_file

from stylerec.errors import ReleaseError
from stylerec.models.next_item import export
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.export import (
    cpu_session,
    export_next_item,
    largest_difference,
    random_inputs,
    run_onnx,
)
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.scoring import ScoringGraph
from stylerec.schema.tensors import MODEL_SPECS, NEXT_ITEM

NUM_ITEMS = 43


def inputs_of(*, num_rows=2, history_len=12, num_context=3, num_candidates=6, seed=5):
    return random_inputs(
        num_rows=num_rows,
        history_len=history_len,
        num_context=num_context,
        num_candidates=num_candidates,
        num_items=NUM_ITEMS,
        generator=torch.Generator().manual_seed(seed),
    )


@pytest.fixture(scope="module")
def session(exported):
    return cpu_session(exported / "model.onnx")


class TestExportNextItem:
    def test_writes_self_contained_files(self, exported):
        names = {path.name for path in exported.iterdir()}
        assert names == {
            "model.onnx",
            "item_embedding.safetensors",
            "config.json",
            "export.json",
        }
        onnx.checker.check_model(exported / "model.onnx")
        model = onnx.load(exported / "model.onnx", load_external_data=False)
        locations = {tensor.data_location for tensor in model.graph.initializer}
        assert locations == {onnx.TensorProto.DEFAULT}

    def test_records_sizes_and_difference(self, exported):
        record = json.loads((exported / "export.json").read_text())
        difference = record.pop("max_abs_difference")
        assert 0 <= difference <= 1e-4
        assert record == {
            "model": "next_item",
            "max_history_len": 12,
            "num_items": NUM_ITEMS,
            "embedding_dim": 16 + 24,
        }

    def test_follows_the_tensor_specs(self, session):
        spec = MODEL_SPECS[NEXT_ITEM]
        kinds = {"INT64": "tensor(int64)", "FP32": "tensor(float)"}
        for tensors, specs in (
            (session.get_inputs(), spec.inputs),
            (session.get_outputs(), spec.outputs),
        ):
            assert [(t.name, t.type) for t in tensors] == [(s.name, kinds[s.dtype]) for s in specs]
            for tensor, wanted in zip(tensors, specs, strict=True):
                dims = [16 + 24 if dim == "D" else dim for dim in wanted.dims]
                assert tensor.shape == dims

    @pytest.mark.parametrize("num_rows", [1, 4])
    @pytest.mark.parametrize("history_len", [1, 12, 20])
    @pytest.mark.parametrize(("num_context", "num_candidates"), [(1, 1), (5, 200), (0, 3)])
    def test_equals_pytorch(
        self, session, model, num_rows, history_len, num_context, num_candidates
    ):
        inputs = inputs_of(
            num_rows=num_rows,
            history_len=history_len,
            num_context=num_context,
            num_candidates=num_candidates,
        )
        with torch.inference_mode():
            expected = ScoringGraph(model).eval()(**inputs)
        for mine, other in zip(run_onnx(session, inputs), expected, strict=True):
            np.testing.assert_allclose(mine, other.numpy(), atol=1e-4)

    @pytest.mark.parametrize(
        "changes",
        [
            {"block": "pre_norm"},
            {"block": "hstu"},
            {"block": "hstu", "use_event_types": False, "use_time_gaps": False},
            {"block": "ligr", "use_event_types": False, "use_time_gaps": False},
        ],
        ids=["pre_norm", "hstu", "hstu off", "ligr off"],
    )
    def test_every_kind_of_block_equals_pytorch(self, features, prepared, tmp_path, changes):
        """Weights as large as training makes them, so that every part shows in the scores."""
        torch.manual_seed(0)
        config = NextItemConfig(max_len=12, embedding_dim=16, **changes)
        model = NextItemModel(features, config)
        model.initialise(torch.ones(NUM_ITEMS, dtype=torch.bool))
        for parameter in model.parameters():
            parameter.data.mul_(5)
        (tmp_path / "trained").mkdir()
        model.save(tmp_path / "trained")
        result = export_next_item(tmp_path / "trained", prepared, tmp_path / "exported")
        assert result.max_abs_difference <= 1e-4
        session = cpu_session(tmp_path / "exported" / "model.onnx")
        # Inputs that are switched off stay: what is served is asked alike, whatever the config.
        names = [spec.name for spec in MODEL_SPECS[NEXT_ITEM].inputs]
        assert [tensor.name for tensor in session.get_inputs()] == names
        inputs = inputs_of(history_len=20)
        inputs["context_weight"] = torch.zeros(2, 1)
        (scores, _), others = run_onnx(session, inputs), {}
        for name in ("history_event_type", "history_age_days"):
            other = inputs | {name: inputs[name].flip(1) * (inputs["history_item_index"] > 0)}
            others[name] = np.abs(run_onnx(session, other)[0] - scores).max()
        is_on = "use_event_types" not in changes
        assert all((difference > 1e-3) == is_on for difference in others.values())

    def test_biases_of_time_are_in_the_graph(self, features, prepared, tmp_path):
        torch.manual_seed(0)
        model = NextItemModel(features, NextItemConfig(max_len=12, embedding_dim=16, block="hstu"))
        model.initialise(torch.ones(NUM_ITEMS, dtype=torch.bool))
        for parameter in model.parameters():
            parameter.data.mul_(5)
        (tmp_path / "trained").mkdir()
        model.save(tmp_path / "trained")
        export_next_item(tmp_path / "trained", prepared, tmp_path / "exported")
        for block in model.encoder.blocks:
            block.time_bias.weight.data.zero_()
        without = ScoringGraph(model.eval()).eval()
        path = tmp_path / "exported" / "model.onnx"
        assert largest_difference(without, path, max_len=12) > 1e-3

    def test_item_embedding_gives_the_scores(self, exported, session):
        table = load_file(exported / "item_embedding.safetensors")["item_embedding"]
        assert (table.shape, table.dtype) == ((NUM_ITEMS, 16 + 24), np.float32)
        inputs = inputs_of()
        inputs["context_weight"] = torch.zeros(2, 1)
        inputs["candidate_index"] = torch.arange(2, NUM_ITEMS).repeat(2, 1)
        scores, query = run_onnx(session, inputs)
        np.testing.assert_allclose(scores, query @ table[2:].T, atol=1e-4)

    def test_empty_history_is_finite(self, session):
        inputs = inputs_of()
        for name in ("history_item_index", "history_event_type", "history_age_days"):
            inputs[name] = torch.zeros_like(inputs[name])
        assert all(np.isfinite(output).all() for output in run_onnx(session, inputs))

    def test_raises_when_onnx_differs_and_keeps_the_old_export(
        self, trained, prepared, exported, tmp_path, monkeypatch
    ):
        output = tmp_path / "exported"
        shutil.copytree(exported, output)
        monkeypatch.setattr(export, "largest_difference", lambda *a, **k: float("nan"))
        with pytest.raises(ReleaseError, match=r"next_item model\.onnx: expected .* within 0.0001"):
            export_next_item(trained.folder, prepared, output)
        assert (output / "model.onnx").exists()


class TestLargestDifference:
    def test_notices_another_model(self, exported, model):
        graph = ScoringGraph(model).eval()
        graph.table[5] += 0.01
        assert largest_difference(graph, exported / "model.onnx", max_len=12) > 1e-4
