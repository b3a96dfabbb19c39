import numpy as np

from stylerec.data.prepared import PreparedData
from stylerec.models.next_item.examples import read_examples


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
