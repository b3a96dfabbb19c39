"""A verified release folder to the recommender that serves it."""

import json

import pandas as pd
from safetensors.numpy import load_file

from stylerec.features.vocabulary import Vocabulary
from stylerec.release.manifest import (
    CATALOGUE_ARRAYS_FILE,
    CATALOGUE_FILE,
    CONTRACT_FILE,
    STYLE_FILE,
    TEMPLATES_FILE,
    VOCABULARY_FILE,
)
from stylerec.release.store import Release
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.contract import load_contract
from stylerec.serving.history import HistoryReader
from stylerec.serving.recommender import Recommender
from stylerec.serving.scoring import ReleaseInfo, Scorer


def load_recommender(
    release: Release, *, scorer: Scorer, history_reader: HistoryReader
) -> Recommender:
    """Returns a recommender over everything that the release holds; blocks while it reads.

    Raises:
        ReleaseError: The release's parts do not belong together.
        ConfigError: Its touchpoint contract is wrong.
    """
    folder, manifest = release.folder, release.manifest
    vocabulary = Vocabulary.load(folder / VOCABULARY_FILE)
    templates, style = folder / TEMPLATES_FILE, folder / STYLE_FILE
    catalogue = Catalogue.from_frames(
        pd.read_parquet(folder / CATALOGUE_FILE),
        vocabulary=vocabulary,
        arrays=load_file(folder / CATALOGUE_ARRAYS_FILE),
        markets=manifest.markets,
        templates=json.loads(templates.read_bytes()) if templates.exists() else None,
        style=load_file(style) if style.exists() else None,
    )
    info = ReleaseInfo(
        release_id=manifest.release_id,
        model_versions={name: entry.version for name, entry in manifest.models.items()},
        max_history_len={name: entry.max_history_len for name, entry in manifest.models.items()},
        has_timestamps=manifest.has_timestamps,
        omitted=manifest.omitted,
    )
    return Recommender(
        catalogue=catalogue,
        vocabulary=vocabulary,
        contract=load_contract(folder / CONTRACT_FILE),
        release=info,
        scorer=scorer,
        history_reader=history_reader,
    )
