# SPDX-License-Identifier: Apache-2.0
"""The recording's file format: one SQLite schema, with `application_id` and `user_version`.

Only plain SQL that SQLite 3.24 (2018) knows, so that every Python's own library can write it.
"""

APPLICATION_ID = 0x70795573  # "pyUs"; bytes 68..71 of the file, as SQLite's file format says
VERSION = 1

# Version history (`PRAGMA user_version`). A reader takes its own version and all before it.
#   1   first
SCHEMA = """
-- About the file: recording (a random identity), created_by (the version of pyusdt).
CREATE TABLE meta (
    key     TEXT PRIMARY KEY,
    value   TEXT NOT NULL
) WITHOUT ROWID;

-- A row for each process that recorded. All wall times are nanoseconds since 1970, UTC.
CREATE TABLE processes (
    id                      INTEGER PRIMARY KEY,
    token                   TEXT NOT NULL UNIQUE,   -- random: pids are used again
    pid                     INTEGER NOT NULL,
    parent_pid              INTEGER NOT NULL,
    host                    TEXT NOT NULL,
    command                 TEXT NOT NULL,
    python                  TEXT NOT NULL,          -- version
    started_ns              INTEGER NOT NULL,
    started_monotonic_ns    INTEGER NOT NULL,       -- the same, on the clock of steps
    updated_ns              INTEGER NOT NULL,       -- the last flush
    ended_ns                INTEGER,                -- NULL: still running, or killed
    reason                  TEXT                    -- why it ended; NULL with ended_ns
);

CREATE TABLE threads (
    process     INTEGER NOT NULL REFERENCES processes (id),
    thread      INTEGER NOT NULL,                   -- 0, 1, ... within the process
    tid         INTEGER NOT NULL,                   -- the kernel's; it may be used again
    name        TEXT NOT NULL,
    elapsed_ns  INTEGER NOT NULL,                   -- wall time while recorded
    PRIMARY KEY (process, thread)
) WITHOUT ROWID;

-- Code records, shared by all processes.
CREATE TABLE functions (
    id          INTEGER PRIMARY KEY,
    module      TEXT NOT NULL,
    qualname    TEXT NOT NULL,
    name        TEXT NOT NULL,
    file        TEXT NOT NULL,
    line        INTEGER NOT NULL,                   -- of the definition
    UNIQUE (module, qualname, name, file, line)
);

-- The call tree: one row for each calling context of each thread.
CREATE TABLE nodes (
    process     INTEGER NOT NULL REFERENCES processes (id),
    thread      INTEGER NOT NULL,
    node        INTEGER NOT NULL,
    parent      INTEGER NOT NULL,                   -- a node of the same thread; -1: at the top
    function    INTEGER NOT NULL REFERENCES functions (id),
    depth       INTEGER NOT NULL,                   -- 0 at the top
    outermost   INTEGER NOT NULL,                   -- 1: no caller above is the same function
    calls       INTEGER NOT NULL,
    resumes     INTEGER NOT NULL,                   -- of a generator or coroutine
    errors      INTEGER NOT NULL,                   -- calls that an exception ended
    elapsed_ns  INTEGER NOT NULL,                   -- with all that it called, without suspension
    self_ns     INTEGER NOT NULL,                   -- without what it called
    PRIMARY KEY (process, thread, node)
) WITHOUT ROWID;
CREATE INDEX nodes_by_function ON nodes (function);

-- How long single calls took: buckets are a quarter of a power of two wide (view `latencies`).
CREATE TABLE histograms (
    process     INTEGER NOT NULL REFERENCES processes (id),
    function    INTEGER NOT NULL REFERENCES functions (id),
    bucket      INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (process, function, bucket)
) WITHOUT ROWID;

-- Each run through a step and each mark, up to 500,000 in a process.
CREATE TABLE steps (
    process     INTEGER NOT NULL REFERENCES processes (id),
    name        TEXT NOT NULL,
    sequence    INTEGER NOT NULL,                   -- in the process, in the order of their ends
    kind        TEXT NOT NULL,                      -- step or mark
    start_ns    INTEGER NOT NULL,                   -- CLOCK_MONOTONIC
    elapsed_ns  INTEGER,                            -- NULL for a mark
    value,                                          -- of a mark: integer, real or text
    PRIMARY KEY (process, name, sequence)
) WITHOUT ROWID;

-- What the recorder had to leave out, by kind.
CREATE TABLE losses (
    process     INTEGER NOT NULL REFERENCES processes (id),
    name        TEXT NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (process, name)
) WITHOUT ROWID;

-- For people: functions by their own time. Recursion counts once in total_ms.
CREATE VIEW function_totals AS
SELECT f.module, f.qualname, sum(n.calls) AS calls, sum(n.resumes) AS resumes,
       sum(n.errors) AS errors, sum(n.self_ns) / 1e6 AS self_ms,
       sum(CASE WHEN n.outermost = 1 THEN n.elapsed_ns ELSE 0 END) / 1e6 AS total_ms,
       f.file, f.line, f.id AS function
FROM nodes n JOIN functions f ON f.id = n.function
GROUP BY f.id, f.module, f.qualname, f.file, f.line
ORDER BY self_ms DESC;

-- For people: callers and callees.
CREATE VIEW calls AS
SELECT c.qualname AS caller, f.qualname AS callee, sum(n.calls) AS calls,
       sum(n.elapsed_ns) / 1e6 AS elapsed_ms, p.function AS caller_id, n.function AS callee_id
FROM nodes n
JOIN nodes p ON p.process = n.process AND p.thread = n.thread AND p.node = n.parent
JOIN functions f ON f.id = n.function
JOIN functions c ON c.id = p.function
GROUP BY p.function, n.function, c.qualname, f.qualname;

-- For people: histograms with the limits of their buckets; high_ns is not in the bucket.
CREATE VIEW latencies AS
SELECT f.module, f.qualname,
       CASE WHEN h.bucket < 4 THEN h.bucket
            ELSE (4 + h.bucket % 4) << ((h.bucket >> 2) - 1) END AS low_ns,
       CASE WHEN h.bucket < 4 THEN h.bucket + 1
            ELSE (5 + h.bucket % 4) << ((h.bucket >> 2) - 1) END AS high_ns,
       sum(h.count) AS calls, f.id AS function
FROM histograms h JOIN functions f ON f.id = h.function
GROUP BY f.id, f.module, f.qualname, h.bucket;

-- For people: steps by name.
CREATE VIEW step_totals AS
SELECT name, count(*) AS count, avg(elapsed_ns) / 1e6 AS mean_ms,
       min(elapsed_ns) / 1e6 AS min_ms, max(elapsed_ns) / 1e6 AS max_ms
FROM steps WHERE kind = 'step'
GROUP BY name;
"""
