"""A small in-domain picture network whose class-activation maps say where the product is.

Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016: a network that
classifies from the global average of its last feature map also tells which places spoke for a
class: M_c(x, y) = sum_k w_k^c f_k(x, y), equation 2. Bettaney et al. (ECML PKDD 2020) use such maps
so that an item of an outfit is described by itself and not by the model or background in its
picture. Differences here: the network is small and trained on the retailer's own pictures instead
of pretrained, and the map weights the pooling instead of cropping the picture.

Legend: B pictures, P picture side, F channels of the last map, G side of that map, T product types,
V rows of the vocabulary.
"""

import itertools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from stylerec.schema.tensors import FIRST_ITEM_INDEX

NUM_COLOURS = 3
_BLOCK = 512


class PictureNetwork(nn.Module):
    """Classifies a picture's product type from the average of its last feature map.

    Args:
        num_types: T, rows 0 (missing) and 1 (unknown) included.
        channels: F.
        is_localised: Whether features are of the product, where the class-activation map sees it,
            or of the whole picture.
    """

    feature_mean: Tensor
    feature_deviation: Tensor

    def __init__(self, num_types: int, channels: int, *, is_localised: bool = True) -> None:
        super().__init__()
        self.is_localised = is_localised
        widths = (NUM_COLOURS, max(channels // 5, 4), max(channels * 2 // 5, 4), channels)
        blocks: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            blocks += [_block(before, after, stride=2)]
        self.body = nn.Sequential(*blocks, _block(channels, channels, stride=1))
        self.classify = nn.Linear(channels, num_types)
        self.register_buffer("feature_mean", torch.zeros(self.num_features))
        self.register_buffer("feature_deviation", torch.ones(self.num_features))

    @property
    def num_features(self) -> int:
        """Length of a localised feature: F and the mean colour of the product."""
        return self.classify.in_features + NUM_COLOURS

    def feature_map(self, pictures_B3PP: Tensor) -> Tensor:
        """Returns the last feature map, float32 `[B, F, G, G]` with G = P / 8."""
        features_BFGG: Tensor = self.body(pictures_B3PP)
        return features_BFGG

    def forward(self, pictures_B3PP: Tensor) -> Tensor:
        """Returns the logit of each product type, float32 `[B, T]`."""
        logits_BT: Tensor = self.classify(self.feature_map(pictures_B3PP).mean(dim=(2, 3)))
        return logits_BT

    def localised(self, pictures_B3PP: Tensor, product_type_B: Tensor) -> Tensor:
        """Returns features of the product alone, float32 `[B, F + 3]`; see `is_localised`.

        The map of the item's own type, negative places cut off, weights the average over places of
        the feature map and of the colours. A picture whose type is missing or unknown uses the type
        it looks like most.

        Args:
            pictures_B3PP: float32 `[B, 3, P, P]`, centred around 0.
            product_type_B: int64 `[B]`, 0 missing, 1 unknown.
        """
        features_BFGG = self.feature_map(pictures_B3PP)
        class_weight_BF = self._class_weights(features_BFGG, product_type_B)
        # Where no place speaks for a class, all do alike.
        weight_BGG = class_activation_weights(features_BFGG, class_weight_BF * self.is_localised)
        cell = pictures_B3PP.shape[-1] // features_BFGG.shape[-1]
        colours_B3GG = functional.avg_pool2d(pictures_B3PP, kernel_size=cell)
        return (torch.cat([features_BFGG, colours_B3GG], dim=1) * weight_BGG[:, None]).sum((2, 3))

    def standardise(self, features_BF: Tensor) -> Tensor:
        """Returns localised features with mean 0 and deviation 1 over the training pictures."""
        return (features_BF - self.feature_mean) / self.feature_deviation

    def _class_weights(self, features_BFGG: Tensor, product_type_B: Tensor) -> Tensor:
        logits_BT: Tensor = self.classify(features_BFGG.mean(dim=(2, 3)))
        looks_like_B = logits_BT[:, FIRST_ITEM_INDEX:].argmax(dim=1) + FIRST_ITEM_INDEX
        is_known_B = product_type_B >= FIRST_ITEM_INDEX
        return self.classify.weight[torch.where(is_known_B, product_type_B, looks_like_B)]


def _block(before: int, after: int, *, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


def class_activation_weights(features_BFGG: Tensor, class_weight_BF: Tensor) -> Tensor:
    """Returns where each class was seen, float32 `[B, G, G]`, non-negative, summing to 1.

    Evenly spread where no place speaks for the class.
    """
    map_BGG = torch.einsum("bfgh,bf->bgh", features_BFGG, class_weight_BF).clamp(min=0.0)
    total_B = map_BGG.sum(dim=(1, 2), keepdim=True)
    even = 1.0 / (map_BGG.shape[1] * map_BGG.shape[2])
    return torch.where(total_B > 0, map_BGG / total_B.clamp(min=1e-12), even)


def has_picture(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Returns which items have a picture, bool `[V]`: all zero means none."""
    shown = np.zeros(len(images), dtype=bool)
    for start in range(0, len(images), _BLOCK):
        shown[start : start + _BLOCK] = np.asarray(images[start : start + _BLOCK]).any((1, 2, 3))
    return shown


def to_tensor(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Returns uint8 `[B, P, P, 3]` pictures as float32 `[B, 3, P, P]` in -1 to 1."""
    # A copy, because a memory-mapped block is read-only and torch's tensors are not.
    pixels_BPP3 = torch.from_numpy(np.array(images, order="C")).to(device)
    # The permuted tensor is channels-last in memory, the faster layout on a CPU by a quarter.
    return pixels_BPP3.float().div(127.5).sub(1.0).permute(0, 3, 1, 2)


@torch.no_grad()
def localised_features(
    network: PictureNetwork, images: NDArray[np.uint8], product_type: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Returns every item's localised picture feature, float32 `[V, F + 3]`, 0 without a picture.

    Each column has mean 0 and deviation 1 over the pictures the network was trained on. Pictures
    are read in blocks, so a memory-mapped array larger than memory is fine.

    Args:
        network: A trained network.
        images: uint8 `[V, P, P, 3]`.
        product_type: int64 `[V]`, 0 missing, 1 unknown.
    """
    network.eval()
    device = network.classify.weight.device
    features = np.zeros((len(images), network.num_features), dtype=np.float32)
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        types_B = torch.from_numpy(product_type[block]).to(device)
        found_BF = network.localised(to_tensor(images[block], device), types_B)
        features[block] = network.standardise(found_BF).cpu().numpy()
    return np.where(has_picture(images)[:, None], features, np.float32(0.0))
