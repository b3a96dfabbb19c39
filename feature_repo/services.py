"""The features that each model reads, one service per model version."""

from customer_history import customer_history
from feast import FeatureService
from item_attributes import item_attributes

from stylerec.schema.features import FEATURE_SERVICES, HISTORY_ITEM_IDS
from stylerec.schema.tensors import NEXT_ITEM, OUTFIT, RANKING

ranking = FeatureService(
    name=FEATURE_SERVICES[RANKING],
    features=[customer_history, item_attributes],
)

next_item = FeatureService(
    name=FEATURE_SERVICES[NEXT_ITEM],
    features=[customer_history],
)

outfit = FeatureService(
    name=FEATURE_SERVICES[OUTFIT],
    features=[customer_history[[HISTORY_ITEM_IDS]], item_attributes],
)
