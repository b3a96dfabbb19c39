import asyncio

import pytest

from inference.transformer.release_loading import load_recommender
from inference.transformer.warm_up import ROUNDS, warm_up, warm_up_instances
from stylerec.release.manifest import read_manifest
from stylerec.release.store import Release
from stylerec.schema.touchpoints import Touchpoint


class Recording:
    """A scorer and a history reader that fail and remember that they were asked."""

    def __init__(self):
        self.models, self.customers = [], []

    async def score(self, model, version, inputs, timeout_s):
        self.models.append(model)
        raise ConnectionError

    async def read(self, customer_ids, timeout_s):
        self.customers.extend(customer_ids)
        raise ConnectionError


@pytest.fixture
def asked():
    return Recording()


@pytest.fixture
def recommender(build, asked):
    folder = build(models=("ranking", "next_item"))
    release = Release(folder, read_manifest(folder))
    return load_recommender(release, scorer=asked, history_reader=asked)


class TestWarmUp:
    def test_asks_every_touchpoint(self, recommender):
        instances = warm_up_instances(recommender)
        assert [instance["touchpoint"] for instance in instances] == list(Touchpoint)
        assert len(recommender.parse({"instances": instances})) == len(Touchpoint)

    def test_reaches_models_and_histories_and_survives_their_failure(self, recommender, asked):
        asyncio.run(warm_up(recommender))
        assert set(asked.models) == {"ranking", "next_item"}
        assert len(asked.customers) == ROUNDS * len(Touchpoint)
