"""Keep what the simulator knows in SQLite, so that a killed process forgets nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
  kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, touser TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pushes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, lane TEXT NOT NULL,
  stage TEXT NOT NULL, content TEXT NOT NULL, due_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
  outcome TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS pushes_pending ON pushes (state, due_at);
"""


class Store:
    """One SQLite file (or memory), one connection, one writer at a time.

    Commits reach the operating system before a request is answered: they survive SIGKILL
    of this process (not a power cut, which a simulator need not survive).
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store alone; commit at the end, or undo everything when the block raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def run(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        """Execute one statement; the caller holds a transaction."""
        return self._connection.execute(sql, parameters)

    def get(self, kind: str, key: str) -> Any:
        """Return the value kept under (kind, key), or None when there is none."""
        row = self.run("SELECT value FROM items WHERE kind = ? AND key = ?", kind, key).fetchone()
        return None if row is None else json.loads(row["value"])

    def put(self, kind: str, key: str, value: object) -> None:
        """Keep a JSON value under (kind, key), replacing what was there."""
        text = json.dumps(value, ensure_ascii=False)
        self.run("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", kind, key, text)

    def delete(self, kind: str, key: str) -> None:
        """Forget (kind, key); nothing happens when it is not there."""
        self.run("DELETE FROM items WHERE kind = ? AND key = ?", kind, key)

    def all(self, kind: str) -> dict[str, Any]:
        """Return every value of a kind by key, in key order."""
        rows = self.run("SELECT key, value FROM items WHERE kind = ? ORDER BY key", kind)
        return {row["key"]: json.loads(row["value"]) for row in rows}

    def put_message(self, at: float, touser: str, message: object) -> None:
        """Append a delivered message; `at` is virtual seconds since 1970."""
        text = json.dumps(message, ensure_ascii=False)
        self.run("INSERT INTO sent (at, touser, message) VALUES (?, ?, ?)", at, touser, text)

    def put_push(
        self, *, account: str, lane: str, stage: str, content: object, due_at: float
    ) -> None:
        """Append a push to our callbacks; it waits until `due_at` (virtual seconds)."""
        self.run(
            "INSERT INTO pushes (account, lane, stage, content, due_at) VALUES (?, ?, ?, ?, ?)",
            account,
            lane,
            stage,
            json.dumps(content, ensure_ascii=False),
            due_at,
        )

    def close(self) -> None:
        """Close the connection; no other method may be called afterwards."""
        with self._lock:
            self._connection.close()
