"""The loss of the outfit model.

Legend: B stylists' outfits, K counter-examples with all items but the hero replaced, R with one.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def outfit_loss(
    true_logits_B: Tensor,
    whole_logits_BK: Tensor,
    single_logits_BR: Tensor,
    *,
    single_loss: Literal["pairwise", "softmax"] = "pairwise",
) -> Tensor:
    """Returns binary cross-entropy against whole, ranking loss against single replacements, scalar.

    mean_b softplus(-t_b) / 2 + mean_bk softplus(w_bk) / 2 + mean_br softplus(s_br - t_b).

    The first two terms are the loss of Bettaney et al., ECML PKDD 2020; both sides weigh the same
    however many counter-examples there are, so the bias does not depend on K. The third is added
    here: where all items are replaced one strong clue such as colour gives the answer away, and
    what decides between two items is never learnt. An outfit with one item replaced may still be a
    good one, so it need not score as false, only below the stylist's.

    Args:
        true_logits_B: Logits t of the stylists' outfits.
        whole_logits_BK: Logits w of each one's counter-examples with all items replaced.
        single_logits_BR: Logits s of those with one item replaced; R may be 0.
        single_loss: The third term as above, or `softmax` for the cross-entropy of picking the
            outfit among its counter-examples, mean_b log(1 + sum_r exp(s_br - t_b)).
    """
    true_side = functional.softplus(-true_logits_B).mean()
    whole_side = functional.softplus(whole_logits_BK).mean()
    loss = 0.5 * (true_side + whole_side)
    if single_logits_BR.shape[1]:
        margin_BR = single_logits_BR - true_logits_B[:, None]
        if single_loss == "softmax":
            loss = loss + torch.logsumexp(functional.pad(margin_BR, (1, 0)), dim=1).mean()
        else:
            loss = loss + functional.softplus(margin_BR).mean()
    return loss
