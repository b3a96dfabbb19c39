"""Plain content similarity beside the trained model; see `stylerec.models.content_match`.

B batch, L history, V catalogue, E `embedding_dim`, M dimensions of content, D = E + 1.
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.data.content_vectors import content_vectors
from stylerec.features.item_features import ItemFeatures
from stylerec.models.content_match import FADING
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.parameters import Parameters
from stylerec.schema.tensors import FIRST_ITEM_INDEX


class ContentMatch:
    """Appends content to trained embeddings, so that products add its similarity.

    Args:
        config: Dimensions and boost.
        features: Content of all V items.
        parameters: Where the weight is kept, which training leaves alone.
    """

    def __init__(
        self, config: RankingConfig, features: ItemFeatures, parameters: Parameters
    ) -> None:
        self._boost = config.new_item_boost
        self._content_VM = content_vectors(features, dim=config.match_dim)
        self.weight = parameters.fixed("query.match_weight", np.zeros(1, np.float32))

    def item_rows(self, output_VD: tf.Tensor, *, has_id: NDArray[np.bool_]) -> tf.Tensor:
        """Returns `[V, E + M + 1]`: embeddings, content, and the bias with the boost of new items.

        Args:
            output_VD: Trained item embeddings.
            has_id: Items that had an interaction to train on, bool `[V]`.
        """
        is_new_V1 = ~has_id[:, None] & (np.arange(len(has_id)) >= FIRST_ITEM_INDEX)[:, None]
        bias_V1 = output_VD[:, -1:] + self._boost * is_new_V1.astype(np.float32)
        return tf.concat([output_VD[:, :-1], self._content_VM, bias_V1], axis=1)

    def of_history(self, item_index_BL: tf.Tensor, content_BLM: tf.Tensor) -> tf.Tensor:
        """Returns the weighted, faded sum of the content of known items, `[B, M]`."""
        length = tf.shape(item_index_BL)[1]
        from_newest_L = tf.cast(tf.range(length - 1, -1, -1), tf.float32)
        is_item_BL = tf.cast(item_index_BL >= FIRST_ITEM_INDEX, tf.float32)
        faded_BL = is_item_BL * tf.exp(-FADING * from_newest_L)
        return self.weight * tf.reduce_sum(content_BLM * faded_BL[..., None], axis=1)
