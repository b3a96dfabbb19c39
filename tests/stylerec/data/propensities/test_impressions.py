class TestImpressions:
    def test_pages_lie_one_after_another(self, shop):
        impressions = shop.impressions
        assert len(impressions) == 400 * 6 * 5
        assert impressions.page_start[:3].tolist() == [0, 5, 10]
        assert set(impressions.page_size.tolist()) == {5}
