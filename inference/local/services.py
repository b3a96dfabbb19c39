"""How each of the three local services is started and asked whether it is ready."""

import os
import shutil
import socket
from pathlib import Path

import httpx

from inference.local.processes import LocalProcess
from stylerec.errors import StackError
from stylerec.settings import Settings

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
PYTHON_MODEL = REPOSITORY_ROOT / "inference" / "model_repository" / "model.py"
_PROBE_TIMEOUT_S = 1.0


def environment_python(name: str) -> Path:
    """Returns the interpreter of one of the three environments (`train`, `serve`, `triton`).

    Raises:
        StackError: The environment is not installed.
    """
    python = REPOSITORY_ROOT / ".venv" / name / "bin" / "python"
    if not python.exists():
        raise StackError(
            f"environment {name}",
            expected=f"an interpreter at .venv/{name}/bin/python",
            got="none",
            fix="run `make install`",
        )
    return python


def redis_process(settings: Settings, run: Path) -> LocalProcess:
    """Returns Debian's `redis-server` as the online store, its data kept beside `run`.

    Raises:
        StackError: `redis-server` is not installed.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise StackError(
            "redis",
            expected="the program redis-server",
            got="none on PATH",
            fix="run `make install`, or `apt-get install redis-server`",
        )
    data = run.parent / "redis"
    data.mkdir(parents=True, exist_ok=True)
    options = {
        "--port": str(settings.redis_port),
        "--bind": "127.0.0.1",
        "--dir": str(data.resolve()),
        # What customers did is not lost with the process.
        "--appendonly": "yes",
        "--save": "",
    }
    command = [program, *(part for option in options.items() for part in option)]
    return LocalProcess(
        "redis", command, run / "redis.log", _environment(), ports=[settings.redis_port]
    )


def is_redis_ready(settings: Settings) -> bool:
    """Returns whether Redis answers a ping."""
    try:
        with socket.create_connection(
            (settings.redis_host, settings.redis_port), timeout=_PROBE_TIMEOUT_S
        ) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def triton_process(settings: Settings, run: Path) -> LocalProcess:
    """Returns NVIDIA's `tritonserver` from the pytriton wheel, all addresses on loopback.

    Raises:
        StackError: The `triton` environment or its server is not installed.
    """
    python = environment_python("triton")
    packages = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    server = packages / "pytriton" / "tritonserver"
    if not (server / "bin" / "tritonserver").exists():
        raise StackError(
            "triton",
            expected="pytriton's tritonserver in the triton environment",
            got="none",
            fix="run `make install`",
        )
    settings.model_repository.mkdir(parents=True, exist_ok=True)
    ports = {
        "http": settings.triton_http_port,
        "grpc": settings.triton_grpc_port,
        "metrics": settings.triton_metrics_port,
    }
    command = [
        str(server / "bin" / "tritonserver"),
        f"--model-repository={settings.model_repository.resolve()}",
        f"--backend-directory={_backend_directory(server, run)}",
        "--model-control-mode=explicit",
        "--allow-gpu-metrics=false",
        "--exit-timeout-secs=5",
        *(f"--{name}-address=127.0.0.1" for name in ports),
        *(f"--{name}-port={port}" for name, port in ports.items()),
    ]
    # The stub runs the first python3 on PATH and ignores PYTHONPATH.
    path = f"{python.parent}:{os.environ.get('PATH', '')}"
    environment = _environment(PATH=path, OMP_NUM_THREADS="1")
    return LocalProcess(
        "triton", command, run / "triton.log", environment, ports=list(ports.values())
    )


def is_triton_ready(settings: Settings) -> bool:
    """Returns whether Triton's server is ready; its models are the routing transformer's affair."""
    return _answers(f"http://127.0.0.1:{settings.triton_http_port}/v2/health/ready")


def transformer_process(settings: Settings, run: Path) -> LocalProcess:
    """Returns the KServe routing transformer from the serving environment.

    Raises:
        StackError: The `serve` environment is not installed.
    """
    python = environment_python("serve")
    environment = _environment(
        **settings.environment(),
        OMP_NUM_THREADS="1",
        PYTHONPATH=str(REPOSITORY_ROOT),
        PYTHONUNBUFFERED="1",
        FEAST_USAGE="False",
    )
    return LocalProcess(
        "transformer",
        [str(python), "-m", "inference.transformer"],
        run / "transformer.log",
        environment,
        ports=[settings.http_port, settings.grpc_port],
    )


def is_transformer_ready(settings: Settings) -> bool:
    """Returns whether Feast, Triton and the release are all usable."""
    return _answers(f"http://127.0.0.1:{settings.http_port}/v2/health/ready")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=_PROBE_TIMEOUT_S).is_success
    except httpx.HTTPError:
        return False


def _backend_directory(server: Path, run: Path) -> Path:
    """Puts the stub of this Python beside the Python backend's files, as the backend expects."""
    stub = server / "python_backend_stubs" / "3.11" / "triton_python_backend_stub"
    folder = run / "triton_backends" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    for source in (*(server / "backends" / "python").iterdir(), stub):
        link = folder / source.name
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    return folder.parent.resolve()


def _environment(**overrides: str) -> dict[str, str]:
    return {**os.environ, **overrides}
