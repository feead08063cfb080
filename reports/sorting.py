"""The one script of the report page: click a column heading to sort its table.

The page is complete without it. The Content-Security-Policy of the page allows this text by its digest and no
other script, so nothing that slips into the page can run.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

__all__ = ["SCRIPT", "SCRIPT_DIGEST"]

SCRIPT: Final = """\
"use strict";
for (const table of document.querySelectorAll("table[data-sortable]")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => {
        const cell = row.cells[head.cellIndex];
        const value = cell.dataset.v;
        return value === undefined ? cell.textContent : value === "" ? null : Number(value);
      };
      const rows = Array.from(table.tBodies[0].rows, (row) => [key(row), row]);
      rows.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null);
        const order = typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
        return up ? order : -order;
      });
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  }
}
"""
"""Makes every heading of a ``data-sortable`` table a button. Cells without a value stay last."""

SCRIPT_DIGEST: Final = "sha256-" + base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
"""The digest of :data:`SCRIPT` as a Content-Security-Policy spells it."""
