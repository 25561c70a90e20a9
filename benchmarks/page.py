"""Figures as a page of the documentation: what every row asks for, what was found, and on what machine."""

from typing import Any

from benchmarks.harness import Row

__all__ = ["page"]


def page(data: dict[str, Any]) -> str:
    """Write figures as Markdown: a table for each benchmark, after what they were measured with.

    Args:
        data (dict): what ``python -m benchmarks --out FILE`` wrote.
    """
    facts = data["facts"]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    kind = "A quick run, whose figures mean little" if data["quick"] else "A full run"
    lines = [f"{kind}, on {facts['cores']} cores ({facts['cpu']}), with Python {facts['python']}, {packages}.", ""]
    asked = [row for result in data["benchmarks"] for row in map(_row, result["rows"]) if row.target]
    missed = [row for row in asked if not row.reached]
    lines += [f"{len(asked) - len(missed)} of {len(asked)} targets were reached.", ""]
    for result in data["benchmarks"]:
        if result["rows"]:
            lines += [
                f"### {result['name']}",
                "",
                f"{result['title']}.",
                "",
                "| what | figure | target |",
                "|---|---|---|",
            ]
            lines += [_line(_row(row)) for row in result["rows"]]
            lines.append("")
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> Row:
    return Row(**row)


def _line(row: Row) -> str:
    cells = [cell.replace("|", "\\|").strip() for cell in (row.what, row.figure, row.target)]
    return f"| {' | '.join(cells)} |"
