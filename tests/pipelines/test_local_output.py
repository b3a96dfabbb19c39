import io

from pipelines.local_output import LocalOutput

STREAM = """\
06:23:21.013 - INFO - Executing task \x1b[96m'prepare'\x1b[0m
06:23:21.013 - INFO - Streamed logs:

    [KFP Executor 2026-11-21 06:23:21,050 INFO]: Got executor_input:
    {
        "inputs": {}
    }
    12 customers
    Traceback (most recent call last):
      File "x.py", line 1, in <module>
    stylerec.errors.DataError: items.parquet: expected a, got b; mend it
    [KFP Executor 2026-11-21 06:23:21,086 INFO]: Wrote executor output file
06:23:22.095 - INFO - Task \x1b[96m'prepare'\x1b[0m finished with status \x1b[92mSUCCESS\x1b[0m
06:23:22.095 - INFO - Task \x1b[96m'prepare'\x1b[0m outputs:
    prepared: Dataset( name='prepared' )
"""


class TestLocalOutput:
    def test_shows_tasks_and_their_own_lines_only(self) -> None:
        log, terminal = io.StringIO(), io.StringIO()
        output = LocalOutput(log, terminal=terminal)
        for start in range(0, len(STREAM), 7):
            output.write(STREAM[start : start + 7])
        assert terminal.getvalue().splitlines()[:2] == ["[prepare]", "    12 customers"]
        assert "KFP Executor" not in terminal.getvalue()
        assert "Dataset(" not in terminal.getvalue()
        assert '"inputs"' not in terminal.getvalue()
        assert log.getvalue() == STREAM

    def test_keeps_the_error_of_the_first_task_that_failed(self) -> None:
        output = LocalOutput(io.StringIO(), terminal=io.StringIO())
        output.write(STREAM.replace("SUCCESS", "FAILURE"))
        output.write("06:23:23.095 - INFO - Executing task 'report-outcome'\n")
        output.write("06:23:23.095 - INFO - Task 'report-outcome' finished with status FAILURE\n")
        assert output.failed_task == "prepare"
        assert output.error == "items.parquet: expected a, got b; mend it"

    def test_has_no_error_when_all_went_well(self) -> None:
        output = LocalOutput(io.StringIO(), terminal=io.StringIO())
        output.write(STREAM)
        assert (output.failed_task, output.error) == ("", "")
