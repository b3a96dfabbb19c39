"""The training pipeline: tables in, a served release out. One definition, cluster and laptop."""

from kfp import dsl
from kfp.dsl import PipelineTask
from kfp.dsl.pipeline_channel import PipelineChannel

from components.build_release import build_release
from components.deploy import deploy
from components.evaluate import evaluate
from components.export_next_item import export_next_item
from components.export_outfit import export_outfit
from components.export_ranking import export_ranking
from components.gate import gate
from components.ingest import ingest
from components.materialise import materialise
from components.omit_model import omit_model
from components.prepare import prepare
from components.publish import publish
from components.report_outcome import report_outcome
from components.train_next_item import train_next_item
from components.train_outfit import train_outfit
from components.train_ranking import train_ranking
from components.validate import validate
from pipelines.resources import on_gpu_pool, with_retries


def _either(trained: PipelineTask, omitted: PipelineTask) -> PipelineChannel:
    """Returns the model of whichever branch ran.

    `dsl.OneOf` of artifacts runs on a cluster only; joining their URIs runs in both places.
    """
    uri = dsl.OneOf(trained.outputs["Output"], omitted.outputs["Output"])
    return dsl.importer(artifact_uri=uri, artifact_class=dsl.Model, reimport=False).output


@dsl.pipeline(
    name="training",
    description="Trains ranking, next-item and outfit models and publishes them as one release",
)
def training(
    source: str,
    release_uri: str,
    model_repository: str,
    triton_url: str,
    feast_config: str,
    feast_workdir: str,
    redis_address: str,
    python_model: str = "",
    contract: str = "",
    prepare_config: str = "{}",
    ranking_config: str = "{}",
    next_item_config: str = "{}",
    outfit_config: str = "{}",
    gate_config: str = "{}",
    checkpoints: str = "",
) -> None:
    """Ingests, validates, prepares, trains, exports, evaluates, gates, publishes and deploys.

    Export comes before evaluation, so that what is measured is the file that is served.

    Args:
        source: Folder of canonical tables.
        release_uri: Root of all releases.
        model_repository: Triton's model repository.
        triton_url: `host:port` of Triton's gRPC endpoint.
        feast_config: `feature_store.yaml` of the environment.
        feast_workdir: Folder of the local registry and offline files.
        redis_address: `host:port` of the online store.
        python_model: Generic `model.py` of the laptop's Triton; empty on a cluster.
        contract: Touchpoint contract file; empty for the library's own.
        prepare_config: JSON of `PrepareConfig` fields that differ from the default.
        ranking_config: JSON of `RankingConfig` fields, likewise.
        next_item_config: JSON of `NextItemConfig` fields, likewise.
        outfit_config: JSON of `OutfitConfig` fields, likewise.
        gate_config: JSON of `GateConfig` fields, likewise.
        checkpoints: Folder in which training keeps its state, one folder per model, config and
            data, so that a task whose node is taken away goes on when it is tried again, or when
            the pipeline is run again. On a cluster a path on a volume that a PodDefault mounts into
            every pod. Empty keeps none: training then starts over.
    """
    with dsl.ExitHandler(report_outcome().set_caching_options(False)):
        ingested = with_retries(ingest(source=source)).outputs["tables"]
        checked = validate(tables=ingested)
        prepared_task = prepare(tables=ingested, config=prepare_config).after(checked)
        prepared = prepared_task.outputs["prepared"]

        with dsl.If(prepared_task.outputs["num_customers"] > 0, name="with-interactions"):
            trained = on_gpu_pool(
                train_ranking(
                    prepared=prepared, config="{}", is_baseline=True, checkpoints=checkpoints
                )
            )
            amf = export_ranking(prepared=prepared, trained=trained.outputs["trained"])
            trained = on_gpu_pool(
                train_ranking(
                    prepared=prepared,
                    config=ranking_config,
                    is_baseline=False,
                    checkpoints=checkpoints,
                )
            )
            ranking = export_ranking(prepared=prepared, trained=trained.outputs["trained"])
            trained = on_gpu_pool(
                train_next_item(prepared=prepared, config=next_item_config, checkpoints=checkpoints)
            )
            next_item = export_next_item(prepared=prepared, trained=trained.outputs["trained"])
        with dsl.Else(name="without-interactions"):
            no_amf, no_ranking = omit_model(model="amf"), omit_model(model="ranking")
            no_next_item = omit_model(model="next_item")

        with dsl.If(prepared_task.outputs["num_outfits"] > 0, name="with-outfits"):
            trained = on_gpu_pool(train_outfit(prepared=prepared, config=outfit_config))
            outfit = export_outfit(prepared=prepared, trained=trained.outputs["trained"])
        with dsl.Else(name="without-outfits"):
            no_outfit = omit_model(model="outfit")

        models = {
            "ranking": _either(ranking, no_ranking),
            "next_item": _either(next_item, no_next_item),
            "outfit": _either(outfit, no_outfit),
        }
        measured = evaluate(
            prepared=prepared,
            amf=_either(amf, no_amf),
            gate_config=gate_config,
            release_uri=release_uri,
            **models,
        ).set_caching_options(False)
        passed = gate(evaluation=measured.outputs["evaluation"])
        built = build_release(
            prepared=prepared,
            evaluation=measured.outputs["evaluation"],
            report=measured.outputs["report"],
            contract=contract,
            **models,
        ).after(passed)
        published = with_retries(publish(release=built.outputs["release"], release_uri=release_uri))
        materialised = with_retries(
            materialise(
                prepared=prepared,
                feast_config=feast_config,
                feast_workdir=feast_workdir,
                redis_address=redis_address,
            )
        ).after(published)
        with_retries(
            deploy(
                release_id=published.output,
                release_uri=release_uri,
                model_repository=model_repository,
                triton_url=triton_url,
                python_model=python_model,
            )
        ).after(materialised)
