"""`python -m inference.transformer`: the routing transformer of one InferenceService.

Everything comes from `STYLEREC_...` settings. KServe's controller passes some of it as arguments
(`--model_name`, `--predictor_host`, `--http_port`), which win.
"""

import argparse
import gc
import logging.config
import sys
import warnings
from collections.abc import Sequence

import uvloop
from fastapi.exceptions import FastAPIDeprecationWarning
from kserve.model_server import parser as kserve_parser

from inference.transformer.application import Application
from inference.transformer.metrics import Metrics
from stylerec.errors import StyleRecError
from stylerec.settings import Settings

MODEL_NAME = "recommender"
# The port of the Service that KServe puts in front of a predictor.
_PREDICTOR_SERVICE_PORT = 80
_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # KServe configures its loggers only where they have no handler yet.
        "kserve": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "feast": {"level": "WARNING"},
    },
}


def settings_of(arguments: Sequence[str], settings: Settings) -> tuple[str, Settings]:
    """Returns the model's name and the settings, with KServe's arguments taken in.

    Args:
        arguments: Command line without the program's name.
        settings: What holds where no argument says otherwise.
    """
    parser = argparse.ArgumentParser(
        prog="python -m inference.transformer", parents=[kserve_parser]
    )
    parser.set_defaults(
        model_name=MODEL_NAME,
        http_port=settings.http_port,
        grpc_port=settings.grpc_port,
        predictor_host=None,
    )
    given = parser.parse_args(arguments)
    changes = {"http_port": given.http_port, "grpc_port": given.grpc_port}
    if given.predictor_host:
        host, _, port = given.predictor_host.partition(":")
        changes |= {"triton_host": host, "triton_http_port": int(port or _PREDICTOR_SERVICE_PORT)}
    return given.model_name, Settings.model_validate({**settings.model_dump(), **changes})


async def _serve(settings: Settings, model_name: str) -> None:
    await Application(settings, model_name=model_name, metrics=Metrics()).serve()


def main(arguments: Sequence[str]) -> int:
    """Serves until a stop signal; returns the exit code."""
    logging.config.dictConfig(_LOGGING)
    model_name, settings = settings_of(arguments, Settings())
    # KServe's application asks for a response class that FastAPI no longer likes.
    warnings.filterwarnings("ignore", category=FastAPIDeprecationWarning)
    # Modules and registries live for ever: full collections need not walk them.
    gc.collect()
    gc.freeze()
    try:
        uvloop.run(_serve(settings, model_name))
    except StyleRecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
