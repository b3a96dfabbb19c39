import numpy as np
import pytest

from stylerec.data.prepared import PreparedData
from stylerec.data.target_weights import EventWeights
from stylerec.errors import ConfigError
from stylerec.models.next_item.examples import read_examples
from stylerec.schema.events import EVENT_CODES


class TestReadExamples:
    def test_counts_what_is_predicted_and_read(self, prepared, small_config):
        data = PreparedData(prepared)
        examples = read_examples(
            data, small_config.model_copy(update={"max_len": 50}), num_items=43
        )
        trained = data.split.train_lengths
        assert examples.num_targets == trained.sum() == examples.counts.sum()
        # Histories fit into one window: each reads all but the last.
        read = trained[trained > 0] - 1
        assert examples.num_tokens == read.sum()
        assert examples.num_pairs == sum(n * (n + 1) // 2 for n in read.tolist())

    def test_takes_few_bytes_per_customer_whatever_the_histories(self, prepared, small_config):
        examples = read_examples(PreparedData(prepared), small_config, num_items=43)
        windows = examples.windows
        num_bytes = windows.start.nbytes + windows.length.nbytes + windows.is_beginning.nbytes
        assert num_bytes == 17 * len(windows.start)
        assert isinstance(examples.histories.item_index, np.memmap)
        assert isinstance(examples.split.train_lengths, np.memmap)

    def test_weighs_targets_only_where_they_differ(self, prepared, small_config):
        data = PreparedData(prepared)
        assert read_examples(data, small_config, num_items=43).weigh is None
        weighted = small_config.model_copy(update={"event_weights": EventWeights(view=0.25)})
        weigh = read_examples(data, weighted, num_items=43).weigh
        place = np.arange(20)
        is_view = data.histories.event_type[place] == EVENT_CODES["view"]
        assert weigh(place).tolist() == np.where(is_view, 0.25, 1.0).tolist()

    def test_position_bias_cannot_be_corrected_without_propensities(self, prepared, small_config):
        config = small_config.model_copy(update={"use_propensity": True})
        with pytest.raises(ConfigError, match=r"next_item\.use_propensity"):
            read_examples(PreparedData(prepared), config, num_items=43)
