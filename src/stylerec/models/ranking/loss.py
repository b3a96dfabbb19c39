"""Softmax losses over the catalogue, or over sampled negatives.

B batch, N items the softmax is over, M negatives, D embedding.
"""

import tensorflow as tf

_EXCLUDED = -1e9


def full_softmax_loss(
    query_BD: tf.Tensor, item_ND: tf.Tensor, *, target_row_B: tf.Tensor
) -> tf.Tensor:
    """Returns the mean cross-entropy of the targets among all N items, a scalar.

    Args:
        query_BD: Query embeddings.
        item_ND: Item embeddings.
        target_row_B: int64, row of `item_ND` that is each query's target.
    """
    logits_BN = tf.matmul(query_BD, item_ND, transpose_b=True)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target_row_B, logits=logits_BN)
    )


def sampled_softmax_loss(
    query_BD: tf.Tensor,
    target_BD: tf.Tensor,
    negative_MD: tf.Tensor,
    *,
    target_B: tf.Tensor,
    negative_M: tf.Tensor,
    log_expected_count_M: tf.Tensor,
) -> tf.Tensor:
    """Returns the mean cross-entropy of the targets against shared sampled negatives, a scalar.

    The partition function is estimated by importance sampling (Bengio and Senécal, "Adaptive
    importance sampling to accelerate training of a neural probabilistic language model", 2008,
    section IV): `exp(s_target) + sum_j exp(s_j) / expected_count_j`, where expected_count_j is how
    often item j is expected among the M negatives. Unlike Yi et al., "Sampling-bias-corrected
    neural modeling" (2019), equation 3, the target's own score is not corrected, as it is always
    present. Negatives equal to a row's target are left out of that row.

    Args:
        query_BD: Query embeddings.
        target_BD: Embedding of each query's target.
        negative_MD: Embeddings of the negatives.
        target_B: int64, item index of each target.
        negative_M: int64, item index of each negative.
        log_expected_count_M: Log of the expected count of each negative's item among the M.
    """
    target_logit_B1 = tf.reduce_sum(query_BD * target_BD, axis=1, keepdims=True)
    logits_BM = tf.matmul(query_BD, negative_MD, transpose_b=True) - log_expected_count_M
    logits_BM = tf.where(negative_M[None] == target_B[:, None], _EXCLUDED, logits_BM)
    all_logits = tf.concat([target_logit_B1, logits_BM], axis=1)
    return tf.reduce_mean(tf.reduce_logsumexp(all_logits, axis=1) - target_logit_B1[:, 0])
