"""Traces join, and say when they must not be relied on."""

import pytest

from condaprune.errors import TraceError
from condaprune.traces.trace import (
    Run,
    Trace,
    TracedEntry,
    check_usable,
    command_text,
    merge,
    union,
)

from .conftest import trace_of


def test_counts_add_up_over_runs_and_not_over_recorders() -> None:
    one = TracedEntry(frozenset(["open"]), 3, frozenset(["inotify"]))
    two = TracedEntry(frozenset(["stat"]), 5, frozenset(["strace"]), frozenset(["app"]))
    both = union([{"a": one}, {"a": two, "b": two}], same_run=True)
    assert both["a"].count == 5
    assert both["a"].kinds == {"open", "stat"}
    assert both["a"].recorders == {"inotify", "strace"}
    assert both["b"] == two
    merged = merge([Trace((), {"a": one}), Trace((), {"a": two})])
    assert merged.entries["a"].count == 8
    assert merged.entries["a"].askers == {"app"}


def test_a_merged_trace_keeps_every_run() -> None:
    good = trace_of({"a": ["open"]})
    bad = Trace((Run("/e", ("strace",), exit_code=3),), {})
    merged = merge([good, bad])
    assert [run.exit_code for run in merged.runs] == [0, 3]
    assert [run.failed for run in merged.runs] == [False, True]
    assert merged.prefix == "/e"
    assert Trace((), {}).prefix == ""


def test_a_trace_of_a_run_that_succeeded_is_usable() -> None:
    check_usable(trace_of({"a": ["open"]}))


def test_a_failed_command_is_refused_until_it_is_accepted() -> None:
    failed = Trace(
        (Run("/e", ("inotify",), ("app", "a b"), exit_code=3),),
        trace_of({"a": ["open"]}).entries,
        "x.trace",
    )
    with pytest.raises(TraceError, match=r"x\.trace: .*app 'a b'.*exit code 3.*--accept-failed"):
        check_usable(failed)
    check_usable(failed, accept_failed=True)


@pytest.mark.parametrize("ended", ["signal", "time"])
def test_a_server_that_was_asked_to_end_did_not_fail(ended: str) -> None:
    run = Run("/e", ("inotify",), ("server",), exit_code=130, ended=ended)  # type: ignore[arg-type]
    check_usable(Trace((run,), trace_of({"a": ["open"]}).entries))


def test_lost_events_are_never_accepted() -> None:
    with pytest.raises(TraceError, match="events were lost"):
        check_usable(trace_of({"a": ["open"]}, overflow=True), accept_failed=True)


def test_a_trace_of_nothing_is_refused() -> None:
    with pytest.raises(TraceError, match="touched nothing"):
        check_usable(trace_of({}))


def test_a_long_command_is_shortened() -> None:
    assert command_text(["echo", "x" * 200]).endswith("...")
    assert command_text(["a", "b\n"]) == "a 'b\\n'"
