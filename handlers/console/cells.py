"""Rows of cells as files for a spreadsheet: nothing that people typed becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

Cell: TypeAlias = str | int | float | None
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
MARK = "\ufeff"
"""Tells a spreadsheet that a CSV is UTF-8; without it Chinese is not readable there."""


def safe(value: Cell) -> Cell:
    """A cell that a spreadsheet takes for a formula is shown as text; None is empty.

    >>> safe("=1+1"), safe(-5)
    ("'=1+1", -5)
    """
    if isinstance(value, str) and value.startswith(FORMULAS):
        return f"'{value}"
    return "" if value is None else value


def csv_of(rows: Iterable[Sequence[Cell]]) -> str:
    """Write rows as CSV with the mark, lines ending as RFC 4180 says."""
    written = io.StringIO()
    csv.writer(written).writerows([safe(cell) for cell in row] for row in rows)
    return MARK + written.getvalue()


def xlsx_of(rows: Iterable[Sequence[Cell]], *, title: str, at: datetime) -> bytes:
    """Write rows as a workbook of one sheet, made ``at``; texts stay texts, numbers numbers."""
    from openpyxl import Workbook  # 0.3 s to import; only a settlement needs it
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = at.replace(tzinfo=None)
    sheet = book.create_sheet(title)
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=safe(value))
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
            cells.append(cell)
        sheet.append(cells)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
