"""Fusing the encoder's many small operations with `torch.compile`."""

import os
import shutil

from torch import nn

from stylerec.errors import ConfigError

_COMPILERS = ("g++", "clang++")


def compile_in_place(encoder: nn.Module) -> None:
    """Makes the module compile itself when it is first called; its weights keep their names.

    One program serves every batch size and history length. Loss and item embeddings are not
    compiled: the one is few large products, the other look-ups.

    Raises:
        ConfigError: There is no C++ compiler, which torch needs on a CPU and on a GPU.
    """
    chosen = os.environ.get("CXX")
    if not any(shutil.which(name) for name in ((chosen,) if chosen else _COMPILERS)):
        raise ConfigError(
            "next_item.compile",
            expected=f"a C++ compiler: {chosen or ' or '.join(_COMPILERS)}",
            got="none on this machine",
            fix="install one, or set compile to false",
        )
    encoder.compile(dynamic=True)
