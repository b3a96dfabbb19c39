"""What a rule has to say about an object."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One fault.

    Attributes:
        build: Overlay and components that were rendered, such as `production + canary`.
        file: File that the object comes from, as far as kustomize says.
        object: Kind and name.
        path: Place inside the object, such as `spec.template.spec.containers[0].image`.
        expected: What was needed there.
        got: What is there instead.
        fix: What to do about it.
        rule: Name of the rule, filled in by whoever runs it.
    """

    build: str
    file: str
    object: str
    path: str
    expected: str
    got: str
    fix: str
    rule: str = ""

    def __str__(self) -> str:
        return (
            f"{self.file or self.build}: {self.object}: {self.path}: expected {self.expected}, "
            f"got {self.got}; {self.fix} [{self.rule}, in {self.build}]"
        )
