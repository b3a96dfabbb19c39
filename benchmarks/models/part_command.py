"""What every part does that can be run by itself: measure, keep the JSON, print the Markdown."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Progress = Callable[[str], None]


def run_part(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace, Progress], dict[str, Any]],
    to_markdown: Callable[[dict[str, Any]], str],
) -> None:
    """Parses the command line, measures, writes JSON where `--output` says, prints the Markdown.

    Args:
        parser: Without `--output`, which is added.
        measure: Takes the arguments, and a function for lines that go to standard error.
        to_markdown: Of what was measured.
    """
    parser.add_argument("--output", type=Path, help="JSON file")
    arguments = parser.parse_args()
    results = measure(arguments, lambda line: print(line, file=sys.stderr, flush=True))
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")
    print(to_markdown(results))
