import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out
from stylerec.evaluation.context import EvaluationContext
from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.ranked_targets import rank_targets
from stylerec.evaluation.ranking import ranking_metrics
from stylerec.evaluation.results import RankingMetrics
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
    """Returns the parts of prepared data that a ranking reads."""

    def build(*customers, num_items, times=None):
        data = histories(*customers, times=times)
        return SimpleNamespace(
            histories=data,
            split=leave_one_out(data),
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
def ranked(histories):
    """Returns ranked targets of a scorer, by default on the leave-one-out test targets."""

    def build(scorer, *customers, split=None, **options):
        data = histories(*customers)
        targets = (split or leave_one_out(data)).test
        return rank_targets(scorer, data, targets, **options)

    return build


@pytest.fixture(scope="session")
def constant():
    """Returns a scorer that gives every customer the same scores."""
    return lambda scores: lambda block: np.tile(np.asarray(scores, float), (len(block.lengths), 1))


@pytest.fixture(scope="session")
def full_metrics(histories):
    """Returns metrics with everything that an evaluation can measure, of 40 short histories."""
    data = histories(*([2, 3, 4 + n % 4] for n in range(40)))
    context = EvaluationContext(
        train_counts=np.array([0, 0, 9, 8, 7, 6, 1, 0]),
        train_lengths=np.ones(40, np.int64),
        department=np.full(8, -1),
        departments=(),
        market=np.full(40, -1),
        markets=(),
    )
    ranked = rank_targets(
        lambda block: np.tile([0.0, 0, 0, 0, 3, 2, 1, 0], (len(block.lengths), 1)),
        data,
        leave_one_out(data).test,
        has_probabilities=True,
    )
    return ranking_metrics(ranked, data, context=context)


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
        # Counted from the end, as histories are padded on the left to any length.
        values = {"last": np.array(-1), "axes": np.array([2]), "table": embedding}
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
