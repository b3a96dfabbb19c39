import pytest

from benchmarks.models.xplane import _kind, _self_times

MS = 10**9
"""Picoseconds in a millisecond."""


class TestSelfTimes:
    def test_time_of_an_operation_inside_counts_once(self) -> None:
        events = [
            (0, 10 * MS, "while:While"),
            (1 * MS, 4 * MS, "while/MatMul:_MklMatMul"),
            (6 * MS, 3 * MS, "while/Softmax:_MklSoftmax"),
        ]
        assert _self_times(events) == {"While": 10 - 4 - 3, "MatMul": 4, "Softmax": 3}

    def test_the_runtime_around_operations_is_left_out(self) -> None:
        events = [
            (0, 9 * MS, "KernelAndDeviceFunc::Run"),
            (0, 4 * MS, "a:Mul"),
            (5 * MS, MS, "b:Mul"),
        ]
        assert _self_times(events) == {"Mul": 4 + 1}


class TestKind:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("gradient_tape/MatMul_4:_MklMatMul", "MatMul"),
            ("add_6:_MklNativeFusedMatMul", "FusedMatMul"),
            ("Run::Inner", ""),
            ("FunctionRun", ""),
        ],
    )
    def test_is_what_follows_the_name(self, name: str, kind: str) -> None:
        assert _kind(name) == kind
