import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file

from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.ranking import export as export_module
from stylerec.models.ranking.artifacts import load_trained
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.export import ExportResult, export_ranking
from stylerec.models.ranking.model import ScoringGraph
from stylerec.models.ranking.train import train_ranking
from stylerec.schema.tensors import MODEL_SPECS, RANKING, TensorSpec

ONNX_TYPES = {"INT64": onnx.TensorProto.INT64, "FP32": onnx.TensorProto.FLOAT}
NUM_ITEMS = 42


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, trained: Path, prepared) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "ranking"
    export_ranking(trained, prepared.folder, folder)
    return folder


@pytest.fixture(scope="module")
def session(exported: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        str(exported / "model.onnx"), providers=["CPUExecutionProvider"]
    )


def request(num_rows: int, *, length: int = 10, num_context: int = 2, num_candidates: int = 6):
    rng = np.random.default_rng(num_rows)
    history = rng.integers(0, NUM_ITEMS, (num_rows, length))
    return {
        "history_item_index": history,
        "history_event_type": np.where(history > 0, 1 + history % 4, 0),
        "history_age_days": rng.exponential(9.0, history.shape).astype(np.float32),
        "context_item_index": rng.integers(0, NUM_ITEMS, (num_rows, num_context)),
        "context_weight": rng.random((num_rows, 1)).astype(np.float32),
        "candidate_index": rng.integers(0, NUM_ITEMS, (num_rows, num_candidates)),
    }


def dims(value: onnx.ValueInfoProto) -> list[int | None]:
    return [d.dim_value or None for d in value.type.tensor_type.shape.dim]


class TestExportRanking:
    def test_has_the_names_types_and_ranks_of_the_one_list(self, exported: Path) -> None:
        graph = onnx.load(exported / "model.onnx").graph
        spec = MODEL_SPECS[RANKING]

        def check(values: list[onnx.ValueInfoProto], tensors: tuple[TensorSpec, ...]) -> None:
            assert [value.name for value in values] == [tensor.name for tensor in tensors]
            for value, tensor in zip(values, tensors, strict=True):
                assert value.type.tensor_type.elem_type == ONNX_TYPES[tensor.dtype]
                assert len(dims(value)) == len(tensor.dims)
                for found, expected in zip(dims(value), tensor.dims, strict=True):
                    if isinstance(expected, int):
                        assert found == expected

        check(list(graph.input), spec.inputs)
        check(list(graph.output), spec.outputs)

    @pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 2, 50), (16, 7, 2)])
    def test_equals_the_framework(
        self, session, trained: Path, prepared: PreparedData, sizes: tuple[int, int, int]
    ) -> None:
        num_rows, num_context, num_candidates = sizes
        inputs = request(num_rows, num_context=num_context, num_candidates=num_candidates)
        expected = ScoringGraph(load_trained(trained, prepared))(**inputs)
        found = session.run(["scores", "query_embedding"], inputs)
        np.testing.assert_allclose(found[0], expected["scores"], atol=1e-4)
        np.testing.assert_allclose(found[1], expected["query_embedding"], atol=1e-4)

    def test_exported_embeddings_give_the_scores(self, session, exported: Path) -> None:
        inputs = request(4) | {"context_weight": np.zeros((4, 1), np.float32)}
        inputs["candidate_index"] = np.maximum(inputs["candidate_index"], 2)
        scores, query = session.run(["scores", "query_embedding"], inputs)
        items = load_file(exported / "item_embedding.safetensors")["item_embedding"]
        expected = np.take_along_axis(query @ items.T, inputs["candidate_index"], axis=1)
        np.testing.assert_allclose(scores, expected, atol=1e-4)

    def test_padding_never_changes_a_score(self, session) -> None:
        short = request(3, length=4)
        padded = {
            name: np.pad(array, ((0, 0), (6, 0))) if name.startswith("history") else array
            for name, array in short.items()
        }
        np.testing.assert_allclose(
            session.run(["scores"], padded)[0], session.run(["scores"], short)[0], atol=1e-4
        )

    def test_unknown_and_out_of_range_indices_are_answered(self, session) -> None:
        inputs = request(2)
        inputs["history_item_index"][:] = [[1], [10_000]]
        inputs["context_item_index"][:] = -5
        inputs["candidate_index"][:, :2] = [1, 10_000]
        scores = session.run(["scores"], inputs)[0]
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores[:, 0], [-1e9, -1e9])

    def test_writes_what_serving_and_evaluation_read(
        self, exported: Path, config: RankingConfig
    ) -> None:
        assert {path.name for path in exported.iterdir()} == {
            "model.onnx",
            "item_embedding.safetensors",
            "config.json",
            "export.json",
        }
        record = json.loads((exported / "export.json").read_text())
        assert record == ExportResult(**record).model_dump()
        assert record["model"] == "ranking"
        assert record["max_history_len"] == config.max_history_len
        assert record["num_items"] == NUM_ITEMS
        assert record["embedding_dim"] == config.embedding_dim + 24 + 1
        assert 0.0 <= record["max_abs_difference"] <= 1e-4
        table = load_file(exported / "item_embedding.safetensors")["item_embedding"]
        assert table.shape == (NUM_ITEMS, config.embedding_dim + 24 + 1)
        assert table.dtype == np.float32
        written = RankingConfig.model_validate_json((exported / "config.json").read_text())
        assert written == config

    def test_exports_the_baseline(self, tmp_path: Path, prepared: PreparedData) -> None:
        config = RankingConfig.amf(max_epochs=1)
        train_ranking(prepared.folder, tmp_path / "amf", config, progress=lambda line: None)
        result = export_ranking(tmp_path / "amf", prepared.folder, tmp_path / "exported")
        assert result.max_abs_difference <= 1e-4

    def test_refuses_a_model_that_differs_and_writes_nothing(
        self, tmp_path: Path, trained: Path, prepared, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export_module, "MAX_ABS_DIFFERENCE", -1.0)
        with pytest.raises(ReleaseError, match="expected TensorFlow's outputs within"):
            export_ranking(trained, prepared.folder, tmp_path / "exported")
        assert list(tmp_path.iterdir()) == []
