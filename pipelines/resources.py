"""What a task asks of a cluster; the laptop's runner ignores it."""

from dataclasses import dataclass, field

from kfp import kubernetes
from kfp.dsl import PipelineTask


@dataclass(frozen=True)
class GpuPool:
    """The node pool that training tasks run on.

    Attributes:
        accelerator: Resource name of the device.
        count: Devices per task.
        node_selector: Labels of the pool's nodes.
        toleration_key: Taint that keeps other work away from the pool.
        cpu: CPU request of a training task.
        memory: Memory request of a training task.
    """

    accelerator: str = "nvidia.com/gpu"
    count: int = 1
    node_selector: dict[str, str] = field(default_factory=lambda: {"stylerec.io/pool": "gpu"})
    toleration_key: str = "nvidia.com/gpu"
    cpu: str = "4"
    memory: str = "16Gi"


GPU_POOL = GpuPool()


def on_gpu_pool(task: PipelineTask, pool: GpuPool = GPU_POOL) -> PipelineTask:
    """Returns `task` placed on the GPU pool, and tried again when a node is taken away from it."""
    task.set_retry(num_retries=2, backoff_duration="30s")
    task.set_accelerator_type(pool.accelerator).set_accelerator_limit(pool.count)
    task.set_cpu_request(pool.cpu).set_memory_request(pool.memory)
    for key, value in pool.node_selector.items():
        kubernetes.add_node_selector(task, key, value)
    kubernetes.add_toleration(task, key=pool.toleration_key, operator="Exists", effect="NoSchedule")
    return task


def with_retries(task: PipelineTask) -> PipelineTask:
    """Returns an input/output task that is tried again when its other side is briefly away."""
    task.set_retry(num_retries=3, backoff_duration="5s", backoff_factor=2.0)
    # Its effect is outside the run, so an earlier run's result says nothing.
    return task.set_caching_options(False)
