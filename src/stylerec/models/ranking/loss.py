"""Losses over the catalogue or over sampled items.

B batch, U competing items, T tile of the batch, D embedding.
"""

from collections.abc import Callable

import tensorflow as tf

_TILE_ELEMENTS = 3_000_000
"""Logits held at a time: about what a CPU's caches hold, and enough to keep a GPU busy."""
_MIN_TILE_ROWS = 32
_TINY = 1e-37


def softmax_loss(
    query_BD: tf.Tensor,
    item_UD: tf.Tensor,
    *,
    target_B: tf.Tensor,
    share_B: tf.Tensor,
    correction_U: tf.Tensor | None = None,
    product_dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """Returns the weighted sum of the targets' cross-entropies among U items, a scalar.

    Without a correction this is the full softmax. With one it is the sampled softmax: the
    partition function is estimated by importance sampling (Bengio and Senécal, "Adaptive importance
    sampling to accelerate training of a neural probabilistic language model", 2008, section IV):
    `exp(s_target) + sum_u exp(s_u - correction_u)`. Unlike Yi et al., "Sampling-bias-corrected
    neural modeling" (2019), equation 3, the target's own score is not corrected, as it is always
    present, and it is in no row's sample of the others.

    The gradients are taken in the forward pass, a tile of rows at a time, so that the logits
    `[B, U]` never exist as a whole: a tile stays in the cache, and memory grows with U alone.

    Args:
        query_BD: Query embeddings.
        item_UD: Embeddings of the items that compete, the targets among them.
        target_B: int64, row of `item_UD` that is each query's target.
        share_B: Weight of each example; the weights of a batch sum to 1.
        correction_U: Log of how often each item is expected in the sample, less the log of how
            often it is there; `negatives.NO_COMPETITOR` for items that are here as targets only.
        product_dtype: Of the products of queries with items, and of the probabilities.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def fused(
        query_BD: tf.Tensor, item_UD: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
        loss, grad_query_BD, grad_item_UD = _softmax_with_gradients(
            query_BD, item_UD, target_B, share_B, correction_U, product_dtype
        )
        return loss, lambda upstream: (upstream * grad_query_BD, upstream * grad_item_UD)

    loss: tf.Tensor = fused(query_BD, item_UD)
    return loss


def gbce_loss(
    query_BD: tf.Tensor,
    item_UD: tf.Tensor,
    *,
    target_B: tf.Tensor,
    share_B: tf.Tensor,
    draws_U: tf.Tensor,
    sampling_rate: float | tf.Tensor,
    calibration: float,
) -> tf.Tensor:
    """Returns the weighted sum of generalised binary cross-entropies, a scalar.

    Petrov and Macdonald, "gSASRec" (2023), equations 10 and 11: the mean over a target and its M
    negatives of `-beta log sigmoid(s_target)` and `-log(1 - sigmoid(s_m))`, with
    `beta = a (t (1 - 1/a) + 1/a)`, a the sampling rate. Unlike there, negatives are shared by the
    batch, and one that is a row's own target counts nothing in that row.

    Args:
        query_BD: Query embeddings.
        item_UD: Embeddings of the targets and negatives.
        target_B: int64, row of `item_UD` that is each query's target.
        share_B: Weight of each example; the weights of a batch sum to 1.
        draws_U: How often each item was drawn as a negative, uniformly.
        sampling_rate: a, M over the number of items that could be drawn.
        calibration: t, 0 for the plain binary cross-entropy to 1.
    """
    logits_BU = tf.matmul(query_BD, item_UD, transpose_b=True)
    own_B = tf.gather(logits_BU, target_B, batch_dims=1)
    penalty_BU = draws_U * tf.nn.softplus(logits_BU)
    negative_B = tf.reduce_sum(penalty_BU, axis=1) - tf.gather(penalty_BU, target_B, batch_dims=1)
    beta = calibration * (sampling_rate - 1.0) + 1.0
    loss_B = beta * tf.nn.softplus(-own_B) + negative_B
    return tf.reduce_sum(share_B * loss_B) / (1.0 + tf.reduce_sum(draws_U))


def _softmax_with_gradients(
    query_BD: tf.Tensor,
    item_UD: tf.Tensor,
    target_B: tf.Tensor,
    share_B: tf.Tensor,
    correction_U: tf.Tensor | None,
    dtype: tf.DType,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the loss and its gradients by queries and items.

    By the logits it is `share * (probability - is_target)`; the second part is one row per
    example, and is added at the end in full precision.
    """
    batch, dim = tf.shape(query_BD)[0], item_UD.shape[1]
    rows = tf.clip_by_value(_TILE_ELEMENTS // tf.shape(item_UD)[0], _MIN_TILE_ROWS, batch)
    num_tiles = -(-batch // rows)
    own_BD = tf.gather(item_UD, target_B)
    product_BD, product_UD = tf.cast(query_BD, dtype), tf.cast(item_UD, dtype)
    weighted_BD = share_B[:, None] * query_BD
    # Products of small shares would lose their low bits in bfloat16 no more than others do.
    product_weighted_BD = tf.cast(weighted_BD, dtype)

    def tile(
        number: tf.Tensor, grad_UD: tf.Tensor, mean_items: tf.TensorArray, owns: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
        some = slice(number * rows, (number + 1) * rows)
        logits_TU = tf.matmul(product_BD[some], product_UD, transpose_b=True)
        if correction_U is not None:
            own_T = tf.reduce_sum(query_BD[some] * own_BD[some], axis=1)
            logits_TU = _corrected(logits_TU, correction_U, target_B[some], own_T)
        probability_TU = tf.nn.softmax(logits_TU)
        part_UD = tf.matmul(probability_TU, product_weighted_BD[some], transpose_a=True)
        return (
            number + 1,
            grad_UD + tf.cast(part_UD, tf.float32),
            mean_items.write(number, tf.matmul(probability_TU, product_UD)),
            owns.write(number, tf.gather(probability_TU, target_B[some], batch_dims=1)),
        )

    _, grad_item_UD, mean_items, owns = tf.while_loop(
        lambda number, *_: number < num_tiles,
        tile,
        (
            0,
            tf.zeros_like(item_UD),
            tf.TensorArray(dtype, num_tiles, infer_shape=False, element_shape=[None, dim]),
            tf.TensorArray(dtype, num_tiles, infer_shape=False, element_shape=[None]),
        ),
        parallel_iterations=1,
    )
    own_probability_B = tf.cast(owns.concat(), tf.float32)
    loss = -tf.reduce_sum(share_B * tf.math.log(own_probability_B + _TINY))
    mean_item_BD = tf.cast(mean_items.concat(), tf.float32)
    grad_query_BD = share_B[:, None] * (mean_item_BD - own_BD)
    grad_item_UD = tf.tensor_scatter_nd_sub(grad_item_UD, target_B[:, None], weighted_BD)
    return loss, grad_query_BD, grad_item_UD


def _corrected(
    logits_TU: tf.Tensor, correction_U: tf.Tensor, target_T: tf.Tensor, own_T: tf.Tensor
) -> tf.Tensor:
    """Returns the logits less their correction, except each row's own target's."""
    dtype = logits_TU.dtype
    logits_TU = logits_TU - tf.cast(correction_U, dtype)
    place_T2 = tf.stack([tf.range(tf.shape(target_T, tf.int64)[0]), target_T], axis=1)
    return tf.tensor_scatter_nd_update(logits_TU, place_T2, tf.cast(own_T, dtype))
