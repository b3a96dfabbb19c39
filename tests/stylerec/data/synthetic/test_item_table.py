import numpy as np

from stylerec.data.synthetic.catalogue import NEVER_S
from stylerec.data.synthetic.item_table import cut, items_table, items_truth_table


class TestItemsTable:
    def test_fills_every_column_but_the_sale_price(self, world, catalogue, config):
        frame = items_table(world, catalogue, config).to_pandas()
        assert frame.drop(columns="sale_price").notna().all().all()
        assert frame.sale_price.notna().sum() == (catalogue.sale_from_s < NEVER_S).sum() > 0

    def test_is_in_order_of_ids_and_launches(self, world, catalogue, config):
        frame = items_table(world, catalogue, config).to_pandas()
        assert frame.item_id.is_monotonic_increasing
        assert frame.first_seen.is_monotonic_increasing

    def test_names_no_picture_where_none_is_drawn(self, world, catalogue, config):
        without = config.model_copy(update={"has_pictures": False})
        assert items_table(world, catalogue, without).to_pandas().image_path.isna().all()

    def test_some_items_are_out_of_stock(self, world, catalogue, config):
        frame = items_table(world, catalogue, config).to_pandas()
        assert 0 < (~frame.in_stock).mean() < 0.15


class TestItemsTruthTable:
    def test_rows_are_those_of_the_items(self, world, catalogue, config):
        truth = items_truth_table(catalogue).to_pandas()
        items = items_table(world, catalogue, config).to_pandas()
        assert truth.item_id.tolist() == items.item_id.tolist()
        pattern = items.attributes.map(lambda values: values[0].removeprefix("pattern: "))
        assert (pattern == truth.pattern).all()


class TestCut:
    def test_lies_between_zero_and_one_and_varies(self, world, catalogue):
        for position in cut(world, catalogue):
            assert position.min() >= 0
            assert position.max() <= 1
            assert np.std(position) > 0.1
