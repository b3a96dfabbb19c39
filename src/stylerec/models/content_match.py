"""Late fusion of a model with plain content similarity: what every model that does it agrees on.

A trained model ranks known items well, and knows an item nobody has met only by what its content
tower made of it. How alike the item's words and columns are to those in the history says more about
such an item, and something about any. So `stylerec.data.content_vectors` are appended to the item
embeddings, their faded sum over the history to the query embedding, and a score is the model's plus
`weight` times the similarity. Learned together with the model, the weight falls to what helps on
the training part, where ids can explain everything; it is therefore chosen after training, on the
validation targets.
"""

from collections.abc import Callable

FADING = 0.5
"""An interaction's content counts exp(-0.5) times that of the one after it."""
MATCH_WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


def choose_match_weight(
    validate: Callable[[float], float], *, without: float
) -> tuple[float, float]:
    """Returns the weight with the best validation metric, and that metric.

    All of `MATCH_WEIGHTS` are tried: the metric is too coarse to be climbed step by step.

    Args:
        validate: Returns the metric at a weight.
        without: The metric at weight 0.
    """
    metrics = {0.0: without} | {weight: validate(weight) for weight in MATCH_WEIGHTS}
    best = max(metrics, key=lambda weight: metrics[weight])
    return best, metrics[best]
