"""iALS: matrix factorisation of implicit feedback, by `implicit`. B customers, V items."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from stylerec.errors import ConfigError
from stylerec.evaluation.baselines.known import Known, history_matrix
from stylerec.evaluation.blocks import Block, BlockScorer


@dataclass(frozen=True)
class IalsSettings:
    """Settings of one factorisation.

    Attributes:
        factors: Dimensions of an embedding.
        regularisation: Weight of the squared norm of each embedding.
        confidence: Weight of an observed pair; pairs not observed weigh 1.
        iterations: Alternations between customers and items.
    """

    factors: int = 128
    regularisation: float = 1.0
    confidence: float = 10.0
    iterations: int = 15


def ials_scorer(known: Known, *, settings: IalsSettings, seed: int = 0) -> BlockScorer:
    """Returns a scorer by implicit alternating least squares (Hu, Koren and Volinsky 2008).

    Only the items' embeddings are kept from the fit. A customer's is solved anew from the history
    before the target (equation 4 of the paper), so a target never shapes the embedding that ranks
    it, and customers who were not in the fit are served as well.

    Raises:
        ConfigError: The package `implicit` is not installed.
    """
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ModuleNotFoundError as error:
        raise ConfigError(
            "evaluation.baselines.ials",
            expected="the package implicit",
            got="none",
            fix="install stylerec[bench], or leave iALS out",
        ) from error
    model = AlternatingLeastSquares(
        factors=settings.factors,
        regularization=settings.regularisation,
        alpha=settings.confidence,
        iterations=settings.iterations,
        random_state=seed,
    )
    # It starts threads of its own, which those of a BLAS would only slow down.
    with threadpool_limits(1, user_api="blas"):
        model.fit(sparse.csr_matrix(known.matrix), show_progress=False)
    item_factors = np.asarray(model.item_factors)

    def score(part: Block) -> NDArray[np.float32]:
        history = sparse.csr_matrix(history_matrix(part, num_items=known.num_items))
        history.data[:] = 1.0
        customer = model.recalculate_user(np.arange(len(part.lengths)), history)
        return np.asarray(customer @ item_factors.T, dtype=np.float32)

    return score
