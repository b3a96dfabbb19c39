"""The touchpoint contract: one YAML file that says how every touchpoint is answered.

The file is versioned with the release. `load_contract` refuses a wrong file with the line and the
fix; `lint` lists every fault instead of stopping at the first.
"""

import difflib
import json
from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from stylerec.errors import ConfigError
from stylerec.schema.touchpoints import Touchpoint
from stylerec.serving.contract_parts import ContractModel
from stylerec.serving.contract_yaml import Fault, YamlDocument, dotted, read_yaml
from stylerec.serving.touchpoint_contract import CrossFault, TouchpointContract

MAX_GIVEN_CANDIDATES = 10_000
_CROSS_FAULTS = "cross_faults"


class Contract(ContractModel):
    """Everything the contract file says; every cross-field rule holds."""

    version: str = Field(min_length=1, max_length=64)
    history_ttl_days: float = Field(gt=0)
    """A history whose last change is older counts as absent."""
    next_item_min_interactions: int = Field(default=1, ge=1)
    """Known interactions that the next-item model needs when there is no hero and no bag."""
    max_candidates: int = Field(default=1_000, ge=1, le=MAX_GIVEN_CANDIDATES)
    """Most candidates that a rule finds; the most popular are kept."""
    max_given_candidates: int = Field(default=MAX_GIVEN_CANDIDATES, ge=1, le=MAX_GIVEN_CANDIDATES)
    """Most candidates that a caller may send in one request."""
    max_instances: int = Field(default=32, ge=1, le=1_024)
    """Most requests in one call."""
    reserve_ms: int = Field(default=10, ge=0)
    """Kept free at the end of every deadline for the rungs that need no dependency."""
    touchpoints: dict[Touchpoint, TouchpointContract]

    def of(self, touchpoint: Touchpoint) -> TouchpointContract:
        """Returns what the contract says about one touchpoint."""
        return self.touchpoints[touchpoint]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults = self._cross_faults()
        if faults:
            raise PydanticCustomError(
                _CROSS_FAULTS, "{message}", {"message": _message(faults[0]), "faults": faults}
            )
        return self

    def _cross_faults(self) -> list[CrossFault]:
        missing = [touchpoint for touchpoint in Touchpoint if touchpoint not in self.touchpoints]
        faults = [
            CrossFault(
                ("touchpoints",),
                "all seven touchpoints",
                f"no {touchpoint}",
                f"add `{touchpoint}:`",
            )
            for touchpoint in missing
        ]
        for touchpoint, described in self.touchpoints.items():
            for fault in described.cross_faults(touchpoint, reserve_ms=self.reserve_ms):
                path = ("touchpoints", touchpoint.value, *fault.path)
                faults.append(fault._replace(path=path))
        if not missing and not sum(described.traffic for described in self.touchpoints.values()):
            faults.append(
                CrossFault(("touchpoints",), "some traffic", "0 everywhere", "raise one `traffic`")
            )
        return faults


def default_contract_path() -> Path:
    """Returns where the contract that ships with the library is installed."""
    return Path(str(files("stylerec.serving").joinpath("touchpoints.yaml")))


def load_contract(source: Path | str) -> Contract:
    """Returns the contract in a file (`Path`) or in YAML text (`str`).

    Raises:
        ConfigError: The file cannot be read, or its first fault with line and fix.
    """
    name, text = _read(source)
    contract, faults = _check(read_yaml(text))
    if contract is None:
        first = faults[0]
        others = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        raise ConfigError(
            f"{name}:{first.line}: {first.where}",
            expected=first.expected,
            got=first.got,
            fix=first.fix + others,
        )
    return contract


def lint(text: str) -> list[Fault]:
    """Returns every fault of a contract's YAML text in line order; empty if it can be served."""
    return _check(read_yaml(text))[1]


def _read(source: Path | str) -> tuple[str, str]:
    if isinstance(source, str):
        return "contract", source
    try:
        return source.name, source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            str(source),
            expected="a readable UTF-8 YAML file",
            got=type(error).__name__,
            fix="check the path, or start from `stylerec.serving/touchpoints.yaml`",
        ) from error


def _check(document: YamlDocument) -> tuple[Contract | None, list[Fault]]:
    faults = list(document.faults)
    if not faults and not isinstance(document.values, dict):
        got = "nothing" if document.values is None else f"a {type(document.values).__name__}"
        faults.append(
            Fault(1, "file", "a mapping of contract fields", got, "start from the default contract")
        )
    if faults:
        return None, sorted(faults, key=lambda fault: fault.line)
    try:
        # Through JSON, so that strict validation still reads lists as tuples and words as enums.
        return Contract.model_validate_json(json.dumps(document.values, default=str)), []
    except ValidationError as error:
        for details in error.errors(include_url=False):
            faults.extend(_faults_of(details, document))
    return None, sorted(faults, key=lambda fault: (fault.line, fault.where))


def _faults_of(details: ErrorDetails, document: YamlDocument) -> list[Fault]:
    if details["type"] == _CROSS_FAULTS:
        found: list[CrossFault] = details["ctx"]["faults"]
        return [
            Fault(document.line_of(f.path), dotted(f.path), f.expected, f.got, f.fix) for f in found
        ]
    path = tuple(step for step in details["loc"] if step != "[key]")
    line, where, kind = document.line_of(path), dotted(path), details["type"]
    if kind == "missing":
        return [Fault(line, where, "a value", "nothing", f"add `{path[-1]}:` here")]
    if kind == "extra_forbidden":
        return [Fault(line, where, "a known field", repr(path[-1]), _spelling(path))]
    expected = details["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return [Fault(line, where, expected, _shown(details["input"]), "change the value")]


def _spelling(path: tuple[str | int, ...]) -> str:
    """Returns what to do about an unknown field: the nearest known name, if one is near."""
    known = set(Contract.model_fields)
    if path[0] == "touchpoints":
        known = set(TouchpointContract.model_fields)
        for model in TouchpointContract.model_fields.values():
            inner = getattr(model.annotation, "model_fields", {})
            known |= set(inner)
    near = difflib.get_close_matches(str(path[-1]), sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else "remove it"


def _message(fault: CrossFault) -> str:
    return f"{dotted(fault.path)}: expected {fault.expected}, got {fault.got}; {fault.fix}"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
