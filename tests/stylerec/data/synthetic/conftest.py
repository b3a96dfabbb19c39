from pathlib import Path

import pytest

from stylerec.data.synthetic.affinity import Shop
from stylerec.data.synthetic.calibration import calibrated
from stylerec.data.synthetic.catalogue import Catalogue, draw_catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import Profiles, Requests, draw_customers
from stylerec.data.synthetic.generate import generate
from stylerec.data.synthetic.shopping import Pages, shop_block
from stylerec.data.synthetic.truth import World, draw_world


@pytest.fixture(scope="session")
def config() -> SyntheticConfig:
    return SyntheticConfig(num_customers=300, num_items=400, num_outfits=200)


@pytest.fixture(scope="session")
def world(config: SyntheticConfig) -> World:
    return draw_world(config.seed)


@pytest.fixture(scope="session")
def catalogue(world: World, config: SyntheticConfig) -> Catalogue:
    return draw_catalogue(world, config)


@pytest.fixture(scope="session")
def block(world: World, config: SyntheticConfig) -> tuple[Profiles, Requests]:
    return draw_customers(world, config, first=0, count=config.num_customers)


@pytest.fixture(scope="session")
def shop(world: World, catalogue: Catalogue, config: SyntheticConfig) -> Shop:
    return calibrated(Shop.open(world, catalogue, config), config)


@pytest.fixture(scope="session")
def pages(shop: Shop, block: tuple[Profiles, Requests]) -> Pages:
    return shop_block(shop, *block)


@pytest.fixture(scope="session")
def folder(config: SyntheticConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "tables"
    generate(folder, config)
    return folder
