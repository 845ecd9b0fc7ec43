"""The tables of ``docs/benchmarks.md`` and the plots beside it, made from the runs that are kept."""

from __future__ import annotations

from pathlib import Path

from benchmarks import report
from benchmarks.kept import FOLDER, Run

PAGE = FOLDER.parent / "benchmarks.md"
BEGIN, END = "<!-- Written by `python benchmarks --page`: -->\n", "<!-- until here. -->"


def write(page: Path = PAGE, folder: Path = FOLDER) -> None:
    """Put what is kept in ``folder`` between the marks of ``page``, and draw it."""
    from benchmarks import plots  # only here: a run needs no matplotlib

    runs = {path.stem: Run.load(path) for path in sorted(folder.glob("*.json"), key=_version, reverse=True)}
    parts: list[str] = []
    for stem, run in runs.items():
        drawings = plots.draw(run, folder, stem)
        parts.append(section(stem, run, [path.relative_to(page.parent).as_posix() for path in drawings]))
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{''.join(parts)}{END}{after}")


def section(stem: str, run: Run, drawings: list[str]) -> str:
    """What the page says of one Python version."""
    title = stem.replace("cpython-", "CPython ")
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    lines = [f"### {title}, {run.days()}", f"{run.machine}.", f"{versions}.", report.summary(run)]
    lines.append("The same in the other measure: wall clock on SQLite, CPU time of the client on PostgreSQL.")
    lines.append(report.summary(run, other=True))
    lines += [f"![{title}, {Path(drawing).stem.rpartition('-')[2]}]({drawing})" for drawing in drawings]
    for database, measure in report.DECIDES.items():
        if run.of(database):
            words = f"{report.NAMES[database]}, {report.WORDS[measure]}, in times of the hand-written code"
            lines += [f"{words}:", report.table(run, database, measure)]
    return "\n\n".join(lines) + "\n\n"


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.stem.rpartition("-")[2].split("."))
