import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from stylerec.data.histories import Histories
from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.ranking import RankingMetrics
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.tensors import MODEL_SPECS, RANKING

TYPES = {"INT64": TensorProto.INT64, "FP32": TensorProto.FLOAT}


def histories_of(*customers, times=None):
    """Returns `Histories` of lists of item indices."""
    flat = [item for items in customers for item in items]
    return Histories(
        item_index=np.array(flat, np.int32),
        event_type=np.full(len(flat), 4, np.int8),
        timestamp_s=np.array(times if times else [0] * len(flat), np.int64),
        offsets=np.concatenate([[0], np.cumsum([len(items) for items in customers])]).astype(
            np.int64
        ),
    )


@pytest.fixture(scope="session")
def histories():
    return histories_of


@pytest.fixture(scope="session")
def prepared(histories):
    """Returns the two parts of prepared data that an evaluation reads."""

    def build(*customers, num_items, times=None):
        return SimpleNamespace(
            histories=histories(*customers, times=times),
            vocabulary=Vocabulary(tuple(f"i{n:03d}" for n in range(num_items - 2))),
        )

    return build


@pytest.fixture(scope="session")
def metrics():
    """Returns ranking metrics with a given NDCG@10."""

    def build(ndcg, *, standard_error=0.0, num_customers=1_000):
        return RankingMetrics(
            hit_rate_at_10=min(1.0, 2 * ndcg),
            ndcg_at_10=ndcg,
            mrr_at_10=ndcg / 2,
            ndcg_at_10_standard_error=standard_error,
            num_customers=num_customers,
            num_repeat_targets=0,
        )

    return build


@pytest.fixture(scope="session")
def outfit_metrics():
    """Returns outfit metrics with a given compatibility AUC."""
    return lambda auc: OutfitMetrics(auc=auc, fitb=0.5, num_outfits=100)


@pytest.fixture
def exported(tmp_path):
    """Exports a graph whose query is the newest item's row of the embedding table."""

    def export(embedding, max_history_len=3, name="exported"):
        spec = MODEL_SPECS[RANKING]
        size = embedding.shape[1]
        nodes = [
            helper.make_node("Gather", ["history_item_index", "last"], ["newest"], axis=1),
            helper.make_node("Gather", ["table", "newest"], ["query_embedding"], axis=0),
            helper.make_node("Gather", ["table", "candidate_index"], ["rows"], axis=0),
            helper.make_node("ReduceSum", ["rows", "axes"], ["scores"], keepdims=0),
        ]
        values = {"last": np.array(max_history_len - 1), "axes": np.array([2]), "table": embedding}
        graph = helper.make_graph(
            nodes,
            "newest",
            [helper.make_tensor_value_info(t.name, TYPES[t.dtype], t.dims) for t in spec.inputs],
            [
                helper.make_tensor_value_info("scores", TensorProto.FLOAT, ("B", "C")),
                helper.make_tensor_value_info("query_embedding", TensorProto.FLOAT, ("B", size)),
            ],
            [numpy_helper.from_array(value, name) for name, value in values.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        folder = tmp_path / name
        folder.mkdir()
        onnx.save(model, folder / "model.onnx")
        save_file({"item_embedding": embedding}, folder / "item_embedding.safetensors")
        (folder / "export.json").write_text(json.dumps({"max_history_len": max_history_len}))
        return folder

    return export
