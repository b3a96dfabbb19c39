"""Makes kfp's local output readable: task names and what the tasks print, without its own noise."""

import io
import re
import sys
from typing import TextIO

_COLOUR = re.compile(r"\x1b\[\d+m")
_EXECUTING = re.compile(r"Executing task '(?P<task>[^']+)'")
_FINISHED = re.compile(r"Task '(?P<task>[^']+)' finished with status (?P<status>\w+)")
_ERROR = re.compile(r"^(\w+\.)*(?P<kind>\w*(Error|Exception|Interrupt)): (?P<text>.*)")
_TASK_INDENT = "    "


class LocalOutput(io.TextIOBase):
    """A text stream that logs every line and shows the useful ones.

    Args:
        log: Takes everything.
        terminal: Takes task names and the tasks' own lines.

    Attributes:
        failed_task: The first task that failed, empty as long as none has.
        error: The message of the exception that it ended with.
    """

    def __init__(self, log: TextIO, *, terminal: TextIO | None = None) -> None:
        self._log = log
        self._terminal = terminal or sys.stdout
        self._partial = ""
        self._is_inside_noise = False
        self._is_task_running = False
        self._error_lines: list[str] = []
        self.failed_task = ""
        self.error = ""

    def writable(self) -> bool:
        """Returns True: it takes text."""
        return True

    def write(self, text: str) -> int:
        """Takes text; whole lines go on at once."""
        self._log.write(text)
        self._log.flush()
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._take(_COLOUR.sub("", line))
        return len(text)

    def _take(self, line: str) -> None:
        if match := _EXECUTING.search(line):
            self._is_task_running = True
            self._error_lines.clear()
            self._show(f"[{match['task']}]")
        elif match := _FINISHED.search(line):
            # What follows until the next task is kfp's list of its outputs.
            self._is_task_running = False
            if match["status"] != "SUCCESS" and not self.failed_task:
                self.failed_task, self.error = match["task"], " ".join(self._error_lines)
        elif self._is_task_running and line.startswith(_TASK_INDENT) and not self._is_noise(line):
            self._keep_error(line.strip())
            self._show(line)

    def _keep_error(self, line: str) -> None:
        """Keeps an exception's message, and the lines below it, until another begins."""
        if match := _ERROR.match(line):
            self._error_lines = [match["text"]]
        elif self._error_lines:
            self._error_lines.append(line)

    def _is_noise(self, line: str) -> bool:
        """Returns whether a task's line is kfp's own: its log lines and the inputs it dumps."""
        stripped = line.removeprefix(_TASK_INDENT)
        if self._is_inside_noise:
            self._is_inside_noise = stripped != "}"
            return True
        if "Got executor_input:" in stripped:
            self._is_inside_noise = True
        return stripped.startswith("[KFP Executor") or not stripped.strip()

    def _show(self, line: str) -> None:
        self._terminal.write(line + "\n")
        self._terminal.flush()
