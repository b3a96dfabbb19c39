import asyncio
from collections import Counter

import pytest

from inference.transformer.model_hosts import ModelHosts
from stylerec.settings import Settings


async def calls_per_host(settings_of, calls):
    """Counts what each of two Tritons is asked; both say that everything is ready."""
    asked = Counter()

    def server_of(name):
        async def answer(reader, writer):
            while line := await reader.readline():
                asked[name, line.split()[1].decode()] += 1
                while (await reader.readline()).strip():
                    pass
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        return asyncio.start_server(answer, "127.0.0.1", 0)

    async with await server_of("own") as own, await server_of("shared") as shared:
        ports = [server.sockets[0].getsockname()[1] for server in (own, shared)]
        hosts = ModelHosts(settings_of(*ports))
        for model, version in calls:
            assert await hosts.is_model_ready(model, version, 5.0)
        await hosts.close()
    return asked


class TestModelHosts:
    def test_a_model_with_its_own_triton_is_asked_for_there(self):
        def settings_of(own, shared):
            return Settings(triton_hosts={"outfit": f"127.0.0.1:{own}"}, triton_http_port=shared)

        calls = [("outfit", 3), ("ranking", 4)]
        asked = asyncio.run(calls_per_host(settings_of, calls))
        assert asked == {
            ("own", "/v2/models/outfit/versions/3/ready"): 1,
            ("shared", "/v2/models/ranking/versions/4/ready"): 1,
        }

    @pytest.mark.parametrize("address", ["outfit-predictor", "host:port", "http://host:80", ":80"])
    def test_an_address_without_host_and_port_is_refused(self, address):
        with pytest.raises(ValueError, match="triton_hosts"):
            Settings(triton_hosts={"outfit": address})
