"""Component: ends a search with its best configuration."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def choose_config(
    study: dsl.Input[dsl.Artifact],
    space: str,
    config: dsl.Output[dsl.Artifact],
    log: dsl.Output[dsl.Artifact],
):
    """Writes the configuration with the best validation NDCG@10, never below the default's.

    Args:
        study: The search's files with all trials.
        space: Search space.
        config: JSON of the whole configuration.
        log: One JSON line per trial.
    """
    import shutil
    from pathlib import Path

    from stylerec.models.search.study import Study

    searched = Study(Path(study.path), space)
    best = searched.chosen
    shutil.copyfile(searched.config_path, config.path)
    shutil.copyfile(searched.log_path, log.path)
    config.metadata.update(trial=best.number, validation_ndcg_at_10=best.value)
    print(f"best of {len(searched.records)}: trial {best.number}, NDCG@10 {best.value:.4f}")
