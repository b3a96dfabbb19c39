import pytest
import torch

from stylerec.models.next_item.scoring import NOT_AN_ITEM_SCORE, ScoringGraph


@pytest.fixture(scope="module")
def graph(model):
    return ScoringGraph(model).eval()


def score(graph, *, history=(5, 6, 7), context=(0,), weight=0.0, candidates=(8, 9, 20)):
    items = torch.tensor([list(history)])
    with torch.inference_mode():
        scores, query = graph(
            items,
            (items != 0).long(),
            torch.zeros(items.shape),
            torch.tensor([list(context)]),
            torch.tensor([[weight]]),
            torch.tensor([list(candidates)]),
        )
    return scores[0], query[0]


class TestScoringGraph:
    def test_scores_are_dot_products_with_the_table(self, graph):
        scores, query = score(graph)
        torch.testing.assert_close(scores, graph.table[[8, 9, 20]] @ query)
        assert scores.argmax() == 0

    def test_padding_and_unknown_candidates_never_win(self, graph):
        scores, _ = score(graph, candidates=(0, 1, -5, 9))
        assert scores[:3].tolist() == [NOT_AN_ITEM_SCORE] * 3
        assert scores[3] > NOT_AN_ITEM_SCORE

    def test_indices_out_of_range_count_as_the_nearest(self, graph):
        torch.testing.assert_close(
            score(graph, history=(5, 999), context=(999,), weight=0.5, candidates=(999,)),
            score(graph, history=(5, 42), context=(42,), weight=0.5, candidates=(42,)),
        )

    def test_unknown_items_in_the_history_do_not_fail(self, graph):
        scores, query = score(graph, history=(1, 1, 6))
        assert torch.isfinite(scores).all()
        assert torch.isfinite(query).all()

    def test_context_is_blended_at_unit_length(self, graph):
        _, query = score(graph)
        mean = graph.table[[10, 30]].mean(dim=0)
        scores, unblended = score(graph, context=(10, 0, 30, 1), weight=0.25)
        expected = 0.75 * query / query.norm() + 0.25 * mean / mean.norm()
        torch.testing.assert_close(scores, graph.table[[8, 9, 20]] @ expected)
        torch.testing.assert_close(unblended, query)

    @pytest.mark.parametrize(("context", "weight"), [((10,), 0.0), ((0, 1), 0.5)])
    def test_context_without_weight_or_items_changes_nothing(self, graph, context, weight):
        assert torch.equal(score(graph, context=context, weight=weight)[0], score(graph)[0])

    def test_full_weight_ranks_by_context_alone(self, graph):
        one, _ = score(graph, history=(5, 6), context=(30,), weight=1.0)
        other, _ = score(graph, history=(0, 0), context=(30,), weight=1.0)
        torch.testing.assert_close(one, other)

    def test_empty_history_is_finite(self, graph):
        scores, query = score(graph, history=(0, 0, 0))
        assert torch.isfinite(scores).all()
        assert query.norm() > 0
