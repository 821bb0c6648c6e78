# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What was measured: rows of one value a round, their bounds, the table."""

import dataclasses
import json
import statistics


@dataclasses.dataclass
class Row:
    name: str  # CASE/WHAT
    unit: str
    values: list
    bound: tuple | None = None  # (">=" or "<=", number)

    @property
    def median(self):
        return statistics.median(self.values)

    def spread(self):
        """Returns the range of the rounds as a share of the median."""
        if len(self.values) < 2 or not self.median:
            return None
        return (max(self.values) - min(self.values)) / abs(self.median)

    def holds(self):
        """Returns whether the median keeps the bound; None without one."""
        if self.bound is None:
            return None
        sign, limit = self.bound
        return self.median >= limit if sign == ">=" else self.median <= limit


class Results:
    def __init__(self):
        self.rows = {}

    def add(self, name, unit, value, bound=None):
        self.rows.setdefault(name, Row(name, unit, [], bound)).values.append(value)

    def last(self, name):
        """Returns this round's value of a row, or None."""
        row = self.rows.get(name)
        return row.values[-1] if row else None

    def missed(self):
        return [row for row in self.rows.values() if row.holds() is False]

    def to_json(self, **about):
        rows = [dataclasses.asdict(row) | {"median": row.median, "holds": row.holds()}
                for row in self.rows.values()]
        return json.dumps(about | {"rows": rows}, indent=1) + "\n"


def read_medians(path):
    """Returns {row: median} of a file that to_json wrote."""
    try:
        return {row["name"]: row["median"] for row in json.loads(path.read_text())["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"bench: error: {path}: not what --json writes: {error}") from error


def number(value):
    """Writes a number with three digits that matter."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(results, earlier=None):
    """Returns the lines of the table; `earlier` adds the ratio to its medians."""
    head = f"{'':<34}{'median':>9} {'unit':<9}{'spread':>7}  {'bound':<9}{'':<7}"
    lines = [(head + ("to earlier" if earlier is not None else "")).rstrip()]
    case = None
    for row in results.rows.values():
        group, what = row.name.split("/", 1)
        if group != case:
            lines.append(group)
            case = group
        spread = row.spread()
        bound = f"{row.bound[0]} {number(row.bound[1])}" if row.bound else ""
        verdict = {True: "holds", False: "MISSED", None: ""}[row.holds()]
        line = (f"  {what:<32}{number(row.median):>9} {row.unit:<9}"
                f"{'' if spread is None else f'{spread:.0%}':>7}  {bound:<9}{verdict:<7}")
        if earlier is not None:
            before = earlier.get(row.name)
            line += f"x {row.median / before:.3f}" if before else "new"
        lines.append(line.rstrip())
    return lines
