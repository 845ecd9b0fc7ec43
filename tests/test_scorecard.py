"""docs/scorecard.md says what the marks of the tests say."""

from __future__ import annotations

from pathlib import Path

import pytest
import scorecard

TESTS = Path(__file__).resolve().parent


def test_the_page_says_what_the_marked_tests_show() -> None:
    """`make test ARGS="-m capability --write-scorecard"` writes it."""
    assert scorecard.PAGE.read_text() == scorecard.render(scorecard.marks(TESTS))


def test_every_capability_is_either_shown_or_planned() -> None:
    assert not scorecard.faults(scorecard.marks(TESTS))
    assert list(scorecard.CAPABILITIES) == list(range(1, 143))


def test_faults_are_found() -> None:
    sound = scorecard.marks(TESTS)
    assert scorecard.faults({**sound, "tests/test_x.py::test_x": (28, 143)}) == [
        "There is no capability 143.",
        "Capability 28 is shown by a test, so it is not planned any more.",
    ]
    alone = {test: tuple(n for n in numbers if n != 1) for test, numbers in sound.items()}
    assert scorecard.faults(alone) == ["Capability 1 has neither a test nor words that say what is planned."]


@pytest.mark.parametrize(("outcome", "written"), [("passed", True), ("failed", False), ("skipped", False)])
def test_only_what_ran_and_passed_is_written(
    outcome: str, written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorecard, "PAGE", tmp_path / "scorecard.md")
    writer = scorecard.Writer()
    for number, test in enumerate(writer.marked):
        for case in ("sqlite", "postgresql"):
            said = outcome if number == 0 and case == "postgresql" else "passed"
            writer.pytest_runtest_logreport(
                pytest.TestReport(f"{test}[{case}]", (test, 1, test), {}, said, None, "call")  # type: ignore[arg-type]
            )
    session = type("Session", (), {"exitstatus": 0})()
    for _ in writer.pytest_sessionfinish(session):  # type: ignore[arg-type]
        pass
    assert scorecard.PAGE.exists() is written
    assert bool(session.exitstatus) is not written
