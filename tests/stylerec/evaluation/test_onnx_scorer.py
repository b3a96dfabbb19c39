import numpy as np
import pytest

from stylerec.data.splits import leave_one_out
from stylerec.errors import ReleaseError
from stylerec.evaluation import onnx_scorer as module
from stylerec.evaluation.blocks import iterate_blocks
from stylerec.evaluation.onnx_scorer import onnx_scorer

EMBEDDING = np.arange(24, dtype=np.float32).reshape(12, 2)


def _blocks(histories, *customers):
    data = histories(*customers)
    return [part for _, part in iterate_blocks(data, leave_one_out(data).test, 2)]


class TestOnnxScorer:
    def test_scores_are_query_times_every_item(self, exported, histories):
        (part,) = _blocks(histories, [2, 3, 4], [5, 6, 7])
        scores = onnx_scorer(exported(EMBEDDING), 12)(part)
        # The query of this graph is the row of the newest item, 3 and 6.
        np.testing.assert_allclose(scores, EMBEDDING[[3, 6]] @ EMBEDDING.T)
        assert scores.dtype == np.float32

    def test_pads_to_the_longest_of_the_block_and_at_most_to_the_model(
        self, exported, histories, monkeypatch
    ):
        asked = []
        assemble = module.assemble_history

        def spy(**arguments):
            asked.append(arguments["max_len"])
            return assemble(**arguments)

        monkeypatch.setattr(module, "assemble_history", spy)
        scorer = onnx_scorer(exported(EMBEDDING, max_history_len=4), 12)
        short, long = _blocks(histories, [2, 3, 4], [2, 3, 4, 5], [*range(2, 10)], [2] * 9)
        scorer(short)
        scorer(long)
        assert asked == [3, 4]

    def test_refuses_an_export_of_another_catalogue(self, exported):
        with pytest.raises(ReleaseError, match="expected 20 rows, one per catalogue item, got 12"):
            onnx_scorer(exported(EMBEDDING), 20)

    def test_refuses_an_incomplete_export(self, exported):
        folder = exported(EMBEDDING)
        (folder / "export.json").unlink()
        with pytest.raises(ReleaseError, match=r"no export\.json"):
            onnx_scorer(folder, 12)
