import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from stylerec.features.vocabulary import Vocabulary
from stylerec.release.build import build_release
from stylerec.release.manifest import ReleaseManifest


@pytest.fixture
def ingredients(tmp_path: Path) -> dict[str, Path]:
    """The folders and files that a release is built from; what it only copies is a stand-in."""
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    Vocabulary(item_ids=("a", "b")).save(prepared / "vocabulary.json")
    (prepared / "items.parquet").write_bytes(b"catalogue")
    save_file({"popularity": np.ones((1, 4), np.float32)}, str(prepared / "catalogue.safetensors"))
    dataset = {"has_timestamps": True, "markets": ["GB"], "omitted": {"outfit": "no outfits table"}}
    (prepared / "dataset.json").write_text(json.dumps(dataset))
    model = tmp_path / "ranking"
    model.mkdir()
    (model / "model.onnx").write_bytes(b"onnx")
    (model / "config.json").write_text("{}")
    (model / "export.json").write_text(json.dumps({"model": "ranking", "max_history_len": 20}))
    for name in ("evaluation.json", "report.html", "touchpoints.yaml"):
        (tmp_path / name).write_text("{}")
    return {
        "prepared": prepared,
        "ranking": model,
        "evaluation": tmp_path / "evaluation.json",
        "report": tmp_path / "report.html",
        "contract": tmp_path / "touchpoints.yaml",
    }


@pytest.fixture
def build(ingredients: dict[str, Path], tmp_path: Path):
    """Builds a release; `text` makes its content differ from another's."""

    def run(text: str = "{}", name: str = "built") -> tuple[Path, ReleaseManifest]:
        ingredients["evaluation"].write_text(text)
        folder = tmp_path / name
        manifest = build_release(
            folder,
            prepared=ingredients["prepared"],
            models={"ranking": ingredients["ranking"]},
            evaluation=ingredients["evaluation"],
            report=ingredients["report"],
            contract=ingredients["contract"],
        )
        return folder, manifest

    return run
