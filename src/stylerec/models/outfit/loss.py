"""The loss of the outfit model."""

from torch import Tensor
from torch.nn import functional


def outfit_loss(true_logits_B: Tensor, false_logits_BK: Tensor) -> Tensor:
    """Returns the binary cross-entropy of stylists' outfits against counter-examples, scalar.

    Both sides weigh the same, however many counter-examples K an outfit has, so the learned bias
    does not depend on K:
    mean_b softplus(-t_b) / 2 + mean_bk softplus(f_bk) / 2.
    Bettaney et al., ECML PKDD 2020, use one counter-example per outfit.

    Args:
        true_logits_B: Logits t of the stylists' outfits.
        false_logits_BK: Logits f of each one's counter-examples.
    """
    return 0.5 * (
        functional.softplus(-true_logits_B).mean() + functional.softplus(false_logits_BK).mean()
    )
