"""What `test_triton_client.py` does not reach: the pool's own limits."""

import asyncio

import pytest

from inference.transformer.http_pool import HttpPool


class TestHttpPool:
    def test_waiting_for_a_free_connection_counts_towards_the_time_out(self):
        async def run():
            async def never(reader, writer):
                await reader.read()
                writer.close()

            server = await asyncio.start_server(never, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            pool = HttpPool("127.0.0.1", port, max_connections=1)
            results = await asyncio.gather(
                *(pool.request("GET", "/", timeout_s=0.1) for _ in range(3)),
                return_exceptions=True,
            )
            server.close()
            return [type(result) for result in results]

        assert asyncio.run(run()) == [TimeoutError] * 3

    def test_calls_beyond_the_limit_wait_for_their_turn(self):
        async def run():
            most, now = 0, 0

            async def answer(reader, writer):
                nonlocal most, now
                while await reader.readline():
                    await reader.readuntil(b"\r\n\r\n")
                    now += 1
                    most = max(most, now)
                    await asyncio.sleep(0.01)
                    now -= 1
                    writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                writer.close()

            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            pool = HttpPool("127.0.0.1", port, max_connections=3)
            responses = await asyncio.gather(
                *(pool.request("GET", "/", timeout_s=5.0) for _ in range(20))
            )
            await pool.close()
            server.close()
            return most, {response.status for response in responses}

        assert asyncio.run(run()) == (3, {204})

    def test_refuses_a_header_that_is_not_ascii(self):
        with pytest.raises(UnicodeEncodeError):
            asyncio.run(HttpPool("127.0.0.1", 1).request("GET", "/ü", timeout_s=1.0))
