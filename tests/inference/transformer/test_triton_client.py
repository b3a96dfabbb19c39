"""The client against a server that misbehaves on purpose; real Triton is in the stack's test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import orjson
import pytest

from inference.transformer.triton_client import (
    TritonClient,
    TritonRefusedError,
    TritonUnavailableError,
)

Behave = Callable[["Call"], Awaitable[None]]
INPUT = {"candidate_index": np.arange(6, dtype=np.int64).reshape(2, 3)}


class Call:
    """One request as the server saw it; `number` counts from 0, `connection` too."""

    def __init__(self, number, connection, head, body, writer):
        self.number, self.connection = number, connection
        self.path = head.split(b" ")[1].decode()
        lines = head.decode("latin-1").lower().split("\r\n")[1:]
        self.headers = dict(line.split(": ", 1) for line in lines if line)
        self.body, self.writer = body, writer

    def inputs(self) -> dict[str, np.ndarray]:
        length = int(self.headers["inference-header-content-length"])
        position, arrays = length, {}
        for tensor in orjson.loads(self.body[:length])["inputs"]:
            size = tensor["parameters"]["binary_data_size"]
            dtype = {"INT64": np.int64, "FP32": np.float32}[tensor["datatype"]]
            raw = self.body[position : position + size]
            arrays[tensor["name"]] = np.frombuffer(raw, dtype).reshape(tensor["shape"])
            position += size
        assert position == len(self.body)
        return arrays

    async def answer(self, body=b"", *, status="200 OK", headers=()):
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)
        await self.writer.drain()

    async def answer_tensors(self, **tensors: np.ndarray):
        names = {np.dtype(np.int64): "INT64", np.dtype(np.float32): "FP32"}
        outputs = [
            {
                "name": name,
                "datatype": names[array.dtype],
                "shape": list(array.shape),
                "parameters": {"binary_data_size": array.nbytes},
            }
            for name, array in tensors.items()
        ]
        header = orjson.dumps({"model_name": "m", "outputs": outputs})
        body = header + b"".join(array.tobytes() for array in tensors.values())
        await self.answer(body, headers=[f"Inference-Header-Content-Length: {len(header)}"])

    async def echo(self):
        await self.answer_tensors(scores=self.inputs()["candidate_index"].astype(np.float32))


def with_server(behave: Behave, work: Callable[[TritonClient, list[Call]], Awaitable[Any]]) -> Any:
    """Runs `work` with a client of a server that does `behave` for every request."""
    calls: list[Call] = []
    connections = [0]

    async def serve(reader, writer):
        connection, connections[0] = connections[0], connections[0] + 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                call = Call(len(calls), connection, head, body, writer)
                calls.append(call)
                await behave(call)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = TritonClient("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            return await asyncio.wait_for(work(client, calls), 10)
        finally:
            await client.close()
            server.close()

    return asyncio.run(run())


async def scored(client: TritonClient, timeout_s: float = 2.0) -> np.ndarray:
    return (await client.score("ranking", 17, INPUT, timeout_s))["scores"]


class TestScore:
    def test_sends_every_tensor_and_reads_every_output(self):
        inputs = {
            "history_item_index": np.array([[1, 2, 3]], dtype=np.int64)[:, ::-1],
            "context_weight": np.array([[0.25]], dtype=np.float32),
            "context_item_index": np.zeros((1, 0), dtype=np.int64),
        }
        outputs = {
            "scores": np.array([[1.5, -2.0]], dtype=np.float32),
            "outfit_item_index": np.arange(24, dtype=np.int64).reshape(2, 3, 4),
            "nothing": np.zeros((0, 4), dtype=np.float32),
        }

        async def work(client, calls):
            found = await client.score("ranking", 17, inputs, 2.0)
            return found, calls[0].path, calls[0].inputs()

        found, path, sent = with_server(lambda call: call.answer_tensors(**outputs), work)
        assert path == "/v2/models/ranking/versions/17/infer"
        assert set(sent) == set(inputs)
        for name, array in inputs.items():
            np.testing.assert_array_equal(sent[name], array)
            assert sent[name].dtype == array.dtype
        assert set(found) == set(outputs)
        for name, array in outputs.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype

    def test_reads_an_answer_without_binary_data(self):
        body = b'{"outputs": [{"name": "scores", "datatype": "FP32", "shape": [1, 0], "data": []}]}'

        async def work(client, calls):
            return await scored(client)

        assert with_server(lambda call: call.answer(body), work).shape == (1, 0)

    def test_reads_an_answer_of_many_megabytes(self):
        large = np.arange(2_000_000, dtype=np.float32)

        async def work(client, calls):
            return await scored(client)

        found = with_server(lambda call: call.answer_tensors(scores=large), work)
        np.testing.assert_array_equal(found, large)

    def test_keeps_its_connection(self):
        async def work(client, calls):
            for _ in range(5):
                await scored(client)
            return {call.connection for call in calls}

        assert with_server(Call.echo, work) == {0}

    def test_sends_again_when_the_kept_connection_was_closed(self):
        async def behave(call):
            await call.echo()
            call.writer.close()

        async def work(client, calls):
            for _ in range(3):
                np.testing.assert_array_equal(await scored(client), INPUT["candidate_index"])
            return len(calls)

        assert with_server(behave, work) == 3

    def test_replaces_a_connection_that_the_server_said_it_would_close(self):
        async def behave(call):
            await call.answer(b"", status="503 Busy", headers=["Connection: close"])

        async def work(client, calls):
            for _ in range(2):
                with pytest.raises(TritonRefusedError):
                    await scored(client)
            return [call.connection for call in calls]

        assert with_server(behave, work) == [0, 1]

    def test_a_late_answer_reaches_nobody_else(self):
        async def behave(call):
            if call.number == 0:
                await asyncio.sleep(0.2)
                await call.answer_tensors(scores=np.array([666.0], dtype=np.float32))
            else:
                await call.echo()

        async def work(client, calls):
            with pytest.raises(TimeoutError):
                await scored(client, 0.05)
            await asyncio.sleep(0.3)
            return await scored(client), [call.connection for call in calls]

        found, connections = with_server(behave, work)
        np.testing.assert_array_equal(found, INPUT["candidate_index"])
        assert connections == [0, 1]

    def test_a_cancelled_call_leaves_no_connection_behind(self):
        async def behave(call):
            await asyncio.sleep(0.1 if call.number == 0 else 0)
            await call.echo()

        async def work(client, calls):
            task = asyncio.create_task(scored(client))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.1)
            await scored(client)
            return [call.connection for call in calls]

        assert with_server(behave, work) == [0, 1]

    def test_each_of_many_concurrent_calls_gets_its_own_answer(self):
        async def behave(call):
            await asyncio.sleep(0.001 * (call.number % 7))
            await call.echo()

        async def work(client, calls):
            async def one(number):
                inputs = {"candidate_index": np.array([number], dtype=np.int64)}
                timeout_s = 0.002 if number % 10 == 0 else 5.0
                try:
                    found = (await client.score("ranking", 1, inputs, timeout_s))["scores"]
                except TimeoutError:
                    return True
                return found.tolist() == [float(number)]

            return await asyncio.gather(*(one(number) for number in range(300)))

        assert all(with_server(behave, work))

    def test_triton_s_own_words_come_with_the_status(self):
        body = orjson.dumps({"error": "no version 17 of ranking"})

        async def work(client, calls):
            with pytest.raises(TritonRefusedError, match="no version 17") as caught:
                await scored(client)
            return caught.value.status

        assert with_server(lambda call: call.answer(body, status="400 Bad Request"), work) == 400

    @pytest.mark.parametrize(
        "raw",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n",
            b"",
        ],
    )
    def test_a_broken_answer_is_unavailable(self, raw):
        async def behave(call):
            if call.number:
                await call.echo()
                return
            call.writer.write(raw)
            await call.writer.drain()
            call.writer.close()

        async def work(client, calls):
            with pytest.raises(TritonUnavailableError):
                await scored(client)
            return await scored(client)

        np.testing.assert_array_equal(with_server(behave, work), INPUT["candidate_index"])

    @pytest.mark.parametrize(
        "header",
        [
            b"not json",
            b"[]",
            b'{"outputs": [{"name": "a"}]}',
            b'{"outputs": [{"name": "a", "datatype": "FP32", "shape": [1],'
            b' "parameters": {"binary_data_size": 40}}]}',
            b'{"outputs": [{"name": "a", "datatype": "FP32", "shape": [3],'
            b' "parameters": {"binary_data_size": 4}}]}',
            b'{"outputs": [{"name": "a", "datatype": "WORD", "shape": [1],'
            b' "parameters": {"binary_data_size": 4}}]}',
        ],
    )
    def test_an_answer_that_contradicts_itself_is_unavailable(self, header):
        async def work(client, calls):
            with pytest.raises(TritonUnavailableError):
                await scored(client)

        lengths = [f"Inference-Header-Content-Length: {len(header)}"]
        with_server(lambda call: call.answer(header + b"1234", headers=lengths), work)

    def test_a_server_that_is_not_there_is_unavailable(self):
        async def run():
            server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            server.close()
            await server.wait_closed()
            with pytest.raises(TritonUnavailableError):
                await scored(TritonClient("127.0.0.1", port))

        asyncio.run(run())

    def test_refuses_a_type_that_no_model_takes(self):
        with pytest.raises(ValueError, match="complex128"):
            asyncio.run(
                TritonClient("127.0.0.1", 1).score("m", 1, {"a": np.zeros(1, complex)}, 1.0)
            )


class TestModelControl:
    def test_ready_means_that_version(self):
        async def behave(call):
            is_ready = call.path == "/v2/models/ranking/versions/17/ready"
            await call.answer(status="200 OK" if is_ready else "400 Bad Request")

        async def work(client, calls):
            return [await client.is_model_ready("ranking", version, 1.0) for version in (17, 18)]

        assert with_server(behave, work) == [True, False]

    def test_not_ready_when_triton_cannot_be_asked(self):
        async def behave(call):
            await asyncio.sleep(0.2)

        async def work(client, calls):
            return await client.is_model_ready("ranking", 17, 0.05)

        assert with_server(behave, work) is False

    def test_load_asks_for_the_model(self):
        async def work(client, calls):
            await client.load_model("ranking", 1.0)
            return calls[0].path

        assert with_server(Call.answer, work) == "/v2/repository/models/ranking/load"

    def test_load_says_what_triton_says(self):
        body = orjson.dumps({"error": "failed to poll from model repository"})

        async def work(client, calls):
            with pytest.raises(TritonRefusedError, match="failed to poll"):
                await client.load_model("ranking", 1.0)

        with_server(lambda call: call.answer(body, status="400 Bad Request"), work)

    @pytest.mark.parametrize("name", ["../secret", "a b", "", "a\r\nX: y"])
    def test_refuses_names_that_would_change_the_address(self, name):
        with pytest.raises(ValueError, match="model name"):
            asyncio.run(TritonClient("127.0.0.1", 1).load_model(name, 1.0))
