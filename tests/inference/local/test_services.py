import socket
from pathlib import Path

from inference.local.processes import LocalProcess
from inference.local.services import is_redis_ready, redis_process
from stylerec.settings import Settings


def settings_on_free_port() -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return Settings().model_copy(update={"redis_port": server.getsockname()[1]})


def ask(settings: Settings, command: str) -> str:
    with socket.create_connection(("127.0.0.1", settings.redis_port)) as connection:
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(200).decode()


def started(settings: Settings, logs: Path) -> LocalProcess:
    process = redis_process(settings, logs)
    process.start()
    process.wait_until(lambda: is_redis_ready(settings), timeout_s=10)
    return process


class TestRedisProcess:
    def test_keeps_what_customers_did_over_a_restart(self, tmp_path: Path) -> None:
        settings = settings_on_free_port()
        process = started(settings, tmp_path / "logs")
        assert ask(settings, "SET customer viewed").startswith("+OK")
        process.stop()
        process = started(settings, tmp_path / "logs")
        assert "viewed" in ask(settings, "GET customer")
        process.stop()
