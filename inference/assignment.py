"""Who is who: pairs of rows and columns with the most likeness in all."""

from __future__ import annotations

from typing import Any


def assign(likeness: Any) -> list[int | None]:
    """Return the column of each row, no column twice, so that the sum of likeness is the most.

    Where there are fewer columns than rows, some rows get none. Kuhn and Munkres, with potentials
    and shortest augmenting paths, cubic in the number of rows; ties go to the first column.
    """
    import numpy as np

    table = np.nan_to_num(np.asarray(likeness, np.float64), nan=-1.0)
    rows, columns = table.shape
    if rows == 0 or columns == 0:
        return [None] * rows
    if rows > columns:
        found: list[int | None] = [None] * rows
        for column, row in enumerate(assign(table.T)):
            if row is not None:
                found[row] = column
        return found
    return list(_assign_wide(-table))


def _assign_wide(cost: Any) -> list[int]:
    """Return the column of each row at the least cost; there are no fewer columns than rows."""
    import numpy as np

    rows, columns = cost.shape
    row_price = np.zeros(rows)
    column_price = np.zeros(columns)
    owner = np.full(columns, -1)
    for start in range(rows):
        row = start
        reach = np.full(columns, np.inf)
        came_from = np.full(columns, -1)
        is_done = np.zeros(columns, bool)
        column = -1
        while True:
            slack = cost[row] - row_price[row] - column_price
            if column >= 0:
                slack = slack + reach[column]
            is_better = ~is_done & (slack < reach - 1e-12)
            reach[is_better] = slack[is_better]
            came_from[is_better] = column
            column = int(np.where(is_done, np.inf, reach).argmin())
            is_done[column] = True
            row = owner[column]
            if row < 0:
                break
        least = reach[column]
        for done in np.flatnonzero(is_done):
            if done != column:
                row_price[owner[done]] += least - reach[done]
                column_price[done] -= least - reach[done]
        row_price[start] += least
        while column >= 0:
            before = came_from[column]
            owner[column] = owner[before] if before >= 0 else start
            column = before
    found = [0] * rows
    for column, row in enumerate(owner):
        if row >= 0:
            found[row] = column
    return found
