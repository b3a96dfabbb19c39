"""The `stylerec` command."""

import sys

from stylerec.errors import StyleRecError

USER_ERROR_EXIT_CODE = 2


def main() -> None:
    """Runs the command line; what a user can mend becomes one message and exit code 2."""
    from stylerec.cli.commands import build_app

    try:
        build_app(sys.argv[1:])()
    except StyleRecError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR_EXIT_CODE)
    except ModuleNotFoundError as error:
        if (error.name or "stylerec").startswith("stylerec"):
            raise
        print(
            f"error: {error.name}: expected it in this environment, got no such module; "
            "run the command in the training environment (extra `train`)",
            file=sys.stderr,
        )
        sys.exit(USER_ERROR_EXIT_CODE)
    except OSError as error:
        # A full disk or a closed folder is the user's to mend too; a bug would not be an OSError.
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(USER_ERROR_EXIT_CODE)
