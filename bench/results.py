# SPDX-License-Identifier: Apache-2.0
"""Rows as JSON, and the files of results/."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.rows import Row, Target
from bench.stats import Sample

RESULTS = Path(__file__).resolve().parent / "results"
MARKDOWN, DATA = RESULTS / "latest.md", RESULTS / "latest.json"
DIGITS = 6
"""The significant digits of a value: more would only be noise in version control."""


def load(path: Path = DATA) -> tuple[dict[str, str], list[Row]]:
    """Return a file's description of the measurement, and its rows."""
    data = json.loads(path.read_text())
    return data["about"], [row_of(row) for row in data["rows"]]


def row_of(data: dict[str, Any]) -> Row:
    fields = {name: data[name] for name in ("case", "figure", "unit", "peer", "note", "grid")}
    for side in ("over", "under"):
        values = data[side] and data[side]["values"]
        fields[side] = Sample(tuple(values)) if values else None
    target = data["target"]
    fields["target"] = Target(**target) if target else None
    return Row(**fields)


def as_json(rows: Iterable[Row], about: dict[str, str]) -> str:
    """Return the JSON, with a line for each row."""
    lines = ",\n".join(json.dumps(row_data(row)) for row in rows)
    return f'{{"about": {json.dumps(about, indent=1)},\n"rows": [\n{lines}\n]}}\n'


def row_data(row: Row) -> dict[str, Any]:
    data = asdict(row)
    for side in ("over", "under"):
        sample = getattr(row, side)
        if sample is not None:
            values = [rounded(value) for value in sample.values]
            data[side] = {
                "values": values,
                "minimum": min(values),
                "median": rounded(sample.median),
            }
    ratio = row.ratio
    data["ratio"] = ratio and {name: rounded(value) for name, value in asdict(ratio).items()}
    data["met"] = row.met
    return data


def rounded(value: float) -> float:
    """Round, except for whole numbers: these are counts."""
    return value if value == int(value) else float(f"{value:.{DIGITS}g}")


def replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)
