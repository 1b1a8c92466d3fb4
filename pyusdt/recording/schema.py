# SPDX-License-Identifier: Apache-2.0
"""The recording's file format: one SQLite schema, with `application_id` and `user_version`.

Only plain SQL that SQLite 3.24 (2018) knows, so that every Python's own library can write it.
"""

APPLICATION_ID = 0x70795573  # "pyUs"; bytes 68..71 of the file, as SQLite's file format says
VERSION = 6

# Version history (`PRAGMA user_version`). A reader takes its own version and all before it.
#   1   first
#   2   totals; started, forked, flush_ns; nodes without depth, outermost and their index;
#       lines may be negative
#   3   histograms of ns, where buckets were (histogram.py); of latencies
#   4   charges, kernel; sampled, times, kernel and paths of processes
#   5   lines, sources, texts; line of charges
#   6   memory, also of processes and steps; resident, living, points, growth
# The columns of a key come first, in its order: PRAGMA integrity_check of SQLite 3.40 finds NULLs
# where there are none, else.
SCHEMA = """
-- About the file: recording (a random identity), directory (beside it, of parts that are not in it
-- yet), created_by (the version of pyusdt).
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
    reason                  TEXT,                   -- exit, end (of a block), exec, os._exit, the
                                                    -- name of a signal or of an exception; with
                                                    -- ended_ns NULL: 'killed', or NULL: that is
                                                    -- not known
    forked                  INTEGER NOT NULL,       -- 1: by os.fork, with its parent's program
    flush_ns                INTEGER NOT NULL,       -- how often it was to flush; 0: at its end only
    sampled                 INTEGER NOT NULL,       -- 1: a sampler ran: what it has charged is in
                                                    -- charges, and nothing else was there
    times                   TEXT NOT NULL,          -- exact; or sampled: the times of nodes and
                                                    -- totals are those of charges
    kernel                  TEXT,                   -- NULL: without the kernel's account; '': with
                                                    -- it; else why it is not whole
    paths                   TEXT NOT NULL,          -- JSON, a list of texts: where it imported
                                                    -- from, and its working directory
    memory                  TEXT                    -- NULL: what it allocated is not known; else
                                                    -- what is in memory: python, what Python's
                                                    -- allocators handed out; all, native memory
                                                    -- too; sampled, samples of all; or
                                                    -- 'python, sampled'
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
    calls       INTEGER NOT NULL,
    resumes     INTEGER NOT NULL,                   -- of a generator or coroutine
    errors      INTEGER NOT NULL,                   -- calls that an exception ended
    elapsed_ns  INTEGER NOT NULL,                   -- with all that it called, without suspension
    self_ns     INTEGER NOT NULL,                   -- without what it called
    PRIMARY KEY (process, thread, node)
) WITHOUT ROWID;

-- What each function did in a thread, over all its contexts, also those that the call tree had no
-- room for.
CREATE TABLE totals (
    process         INTEGER NOT NULL REFERENCES processes (id),
    thread          INTEGER NOT NULL,
    function        INTEGER NOT NULL REFERENCES functions (id),
    calls           INTEGER NOT NULL,
    primitive_calls INTEGER NOT NULL,               -- those from outside of the function itself
    resumes         INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    total_ns        INTEGER NOT NULL,               -- recursion counts once
    self_ns         INTEGER NOT NULL,
    PRIMARY KEY (process, thread, function)
) WITHOUT ROWID;

-- Where the time of each context went, as a sampler has seen it: each look charges what has passed
-- since the last one. Of a thread, CPU time sums to what its CPU clock said.
CREATE TABLE charges (
    process     INTEGER NOT NULL REFERENCES processes (id),
    thread      INTEGER NOT NULL,
    node        INTEGER NOT NULL,                   -- -1: only the function is known
    function    INTEGER NOT NULL,                   -- that of the node; -1: the thread, outside of
                                                    -- all functions
    kind        TEXT NOT NULL,                      -- CPU time: user, system; waits: gil, lock,
                                                    -- sleep, poll, net, disk, child, runnable (for
                                                    -- a CPU), other
    syscall     INTEGER NOT NULL,                   -- the number of the system call of kind other
    line        INTEGER NOT NULL,                   -- of the function; 0: not known
    samples     INTEGER NOT NULL,                   -- looks that it rests on
    ns          INTEGER NOT NULL,
    PRIMARY KEY (process, thread, node, function, kind, syscall, line)
) WITHOUT ROWID;

-- What the kernel has counted in each context; 0 where a column means nothing for the kind.
CREATE TABLE kernel (
    process     INTEGER NOT NULL REFERENCES processes (id),
    thread      INTEGER NOT NULL,                   -- -1: none that was recorded
    node        INTEGER NOT NULL,                   -- -1: in no context that is known
    function    INTEGER NOT NULL,                   -- that of the node, or -1
    kind        TEXT NOT NULL,                      -- syscall, offcpu (time without a CPU), fault,
                                                    -- read, write, block (I/O), migration
    name        TEXT NOT NULL,                      -- of the system call; the reason, as kinds of
                                                    -- charges; minor, major; file, socket, other
    count       INTEGER NOT NULL,
    ns          INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    errors      INTEGER NOT NULL,
    PRIMARY KEY (process, thread, node, function, kind, name)
) WITHOUT ROWID;

-- What each context has allocated. A block is that of what allocated it, whoever freed it; blocks
-- that were there before are in no figure, nor are their frees.
CREATE TABLE memory (
    process             INTEGER NOT NULL REFERENCES processes (id),
    thread              INTEGER NOT NULL,           -- -1: none that was recorded
    node                INTEGER NOT NULL,           -- -1: only the function is known
    function            INTEGER NOT NULL,           -- that of the node; -1: the thread, outside of
                                                    -- all functions
    line                INTEGER NOT NULL,           -- at which the program stood; 0: not known
    line_function       INTEGER NOT NULL,           -- whose line it is: the function, or, where
                                                    -- that is in C, what called it; -1: not known
    allocated_bytes     INTEGER NOT NULL,
    allocated_blocks    INTEGER NOT NULL,
    freed_bytes         INTEGER NOT NULL,
    freed_blocks        INTEGER NOT NULL,
    temporary_bytes     INTEGER NOT NULL,           -- of those freed: by the call that had
    temporary_blocks    INTEGER NOT NULL,           -- allocated them
    peak_bytes          INTEGER NOT NULL,           -- alive when the process had the most alive
    peak_blocks         INTEGER NOT NULL,
    biggest             INTEGER NOT NULL,           -- block, in bytes
    PRIMARY KEY (process, thread, node, function, line, line_function)
) WITHOUT ROWID;

-- What each process had in RAM, over time.
CREATE TABLE resident (
    process             INTEGER NOT NULL REFERENCES processes (id),
    at_ns               INTEGER NOT NULL,           -- CLOCK_MONOTONIC
    rss_bytes           INTEGER NOT NULL,
    swap_bytes          INTEGER NOT NULL,           -- of a while ago
    peak_bytes          INTEGER NOT NULL,           -- the most in RAM since the process began, at
                                                    -- other moments too
    PRIMARY KEY (process, at_ns)
) WITHOUT ROWID;

-- What lives of what each context has allocated, and since when; the keys are as those of memory. A
-- period begins where the program marks something, and where steps begin and end, of very many of
-- them only at some; it ends with the next one. Kept at the end of a process, as the next two are.
CREATE TABLE living (
    process             INTEGER NOT NULL REFERENCES processes (id),
    thread              INTEGER NOT NULL,
    node                INTEGER NOT NULL,
    function            INTEGER NOT NULL,
    line                INTEGER NOT NULL,
    line_function       INTEGER NOT NULL,
    since_ns            INTEGER NOT NULL,           -- the beginning of the period, CLOCK_MONOTONIC;
                                                    -- 0: before all marks and steps
    bytes               INTEGER NOT NULL,
    blocks              INTEGER NOT NULL,
    PRIMARY KEY (process, thread, node, function, line, line_function, since_ns)
) WITHOUT ROWID;

-- The ends of steps of a name, up to 64, at which it was looked what is alive.
CREATE TABLE points (
    process             INTEGER NOT NULL REFERENCES processes (id),
    name                TEXT NOT NULL,
    iteration           INTEGER NOT NULL,           -- which of the steps of that name, from 1
    bytes               INTEGER NOT NULL,           -- alive, in all places
    changing            INTEGER NOT NULL,           -- places that had not as much at all points
    PRIMARY KEY (process, name, iteration)
) WITHOUT ROWID;

-- What was alive of each context at those points, where it has grown; the keys are as those of
-- memory.
CREATE TABLE growth (
    process             INTEGER NOT NULL REFERENCES processes (id),
    thread              INTEGER NOT NULL,
    node                INTEGER NOT NULL,
    function            INTEGER NOT NULL,
    line                INTEGER NOT NULL,
    line_function       INTEGER NOT NULL,
    name                TEXT NOT NULL,
    iteration           INTEGER NOT NULL,
    bytes               INTEGER NOT NULL,
    PRIMARY KEY (process, thread, node, function, line, line_function, name, iteration)
) WITHOUT ROWID;

-- How long single calls took: the shortest and the longest one in each thread exactly, the others
-- within 1.1 %. Of generators and coroutines, each run from an entry to the next exit, and, where
-- they were suspended, all from the first entry to the end.
CREATE TABLE histograms (
    process     INTEGER NOT NULL REFERENCES processes (id),
    function    INTEGER NOT NULL REFERENCES functions (id),
    kind        INTEGER NOT NULL,                   -- 0: running; 1: latency, with suspensions
    ns          INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (process, function, kind, ns)
) WITHOUT ROWID;

-- What each line of a function did, where its lines were recorded.
CREATE TABLE lines (
    process     INTEGER NOT NULL REFERENCES processes (id),
    function    INTEGER NOT NULL REFERENCES functions (id),
    line        INTEGER NOT NULL,
    hits        INTEGER NOT NULL,                   -- how often it was about to run anew
    errors      INTEGER NOT NULL,                   -- exceptions raised there, or by what it called
    total_ns    INTEGER NOT NULL,                   -- with all that it called; recursion counts
                                                    -- once; 0 where times are sampled
    self_ns     INTEGER NOT NULL,                   -- without the recorded functions that it called
    PRIMARY KEY (process, function, line)
) WITHOUT ROWID;

-- Which text the files of those functions had, where the process has read it as Python source.
CREATE TABLE sources (
    process     INTEGER NOT NULL REFERENCES processes (id),
    file        TEXT NOT NULL,
    sha256      TEXT NOT NULL REFERENCES texts (sha256),
    PRIMARY KEY (process, file)
) WITHOUT ROWID;

-- Texts of files, shared by all processes.
CREATE TABLE texts (
    sha256      TEXT PRIMARY KEY,                   -- of the text, as UTF-8
    text        TEXT NOT NULL
);

-- Each run through a step and each mark, up to 500,000 in a process.
CREATE TABLE steps (
    process     INTEGER NOT NULL REFERENCES processes (id),
    name        TEXT NOT NULL,
    sequence    INTEGER NOT NULL,                   -- in the process, in the order of their ends
    kind        TEXT NOT NULL,                      -- step or mark
    start_ns    INTEGER NOT NULL,                   -- CLOCK_MONOTONIC
    elapsed_ns  INTEGER,                            -- NULL for a mark
    value,                                          -- of a mark: integer, real or text
    rss_start_bytes     INTEGER,                    -- in RAM; NULL, as the next four, where what
    rss_end_bytes       INTEGER,                    -- was allocated is not known
    allocated_bytes     INTEGER,                    -- within, by all threads
    freed_bytes         INTEGER,
    peak_bytes          INTEGER,                    -- the most that was alive within
    PRIMARY KEY (process, name, sequence)
) WITHOUT ROWID;

-- What the recorder had to leave out, by kind.
CREATE TABLE losses (
    process     INTEGER NOT NULL REFERENCES processes (id),
    name        TEXT NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (process, name)
) WITHOUT ROWID;

-- The programs that a process has started, as it named them; processes that recorded too are among
-- them. Kept at the end of a process.
CREATE TABLE started (
    process     INTEGER NOT NULL REFERENCES processes (id),
    program     TEXT NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (process, program)
) WITHOUT ROWID;

-- For people: functions by their own time. Recursion counts once in total_ms.
CREATE VIEW function_totals AS
SELECT f.module, f.qualname, sum(t.calls) AS calls, sum(t.resumes) AS resumes,
       sum(t.errors) AS errors, sum(t.self_ns) / 1e6 AS self_ms,
       sum(t.total_ns) / 1e6 AS total_ms, f.file, f.line, f.id AS function
FROM totals t JOIN functions f ON f.id = t.function
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

-- For people: histograms by function.
CREATE VIEW latencies AS
SELECT f.module, f.qualname, h.kind, h.ns / 1e6 AS ms, sum(h.count) AS calls, f.id AS function
FROM histograms h JOIN functions f ON f.id = h.function
GROUP BY f.id, f.module, f.qualname, h.kind, h.ns;

-- For people: where the own time of functions went. A function of NULL is the thread itself.
CREATE VIEW function_charges AS
SELECT f.module, f.qualname, c.kind, sum(c.ns) / 1e6 AS ms, sum(c.samples) AS samples,
       c.function
FROM charges c LEFT JOIN functions f ON f.id = c.function
GROUP BY c.function, f.module, f.qualname, c.kind
ORDER BY ms DESC;

-- For people: lines by their own time.
CREATE VIEW line_totals AS
SELECT f.file, l.line, f.module, f.qualname, sum(l.hits) AS hits, sum(l.errors) AS errors,
       sum(l.self_ns) / 1e6 AS self_ms, sum(l.total_ns) / 1e6 AS total_ms, l.function
FROM lines l JOIN functions f ON f.id = l.function
GROUP BY l.function, l.line, f.file, f.module, f.qualname
ORDER BY self_ms DESC;

-- For people: what functions have allocated, and what of it is alive. A function of NULL is the
-- thread itself.
CREATE VIEW function_memory AS
SELECT f.module, f.qualname, sum(m.peak_bytes) AS peak_bytes,
       sum(m.allocated_bytes - m.freed_bytes) AS live_bytes,
       sum(m.allocated_bytes) AS allocated_bytes, sum(m.allocated_blocks) AS allocated_blocks,
       m.function
FROM memory m LEFT JOIN functions f ON f.id = m.function
GROUP BY m.function, f.module, f.qualname
ORDER BY peak_bytes DESC;

-- For people: the kernel's account by function.
CREATE VIEW function_kernel AS
SELECT f.module, f.qualname, k.kind, k.name, sum(k.count) AS count, sum(k.ns) / 1e6 AS ms,
       sum(k.bytes) AS bytes, sum(k.errors) AS errors, k.function
FROM kernel k LEFT JOIN functions f ON f.id = k.function
GROUP BY k.function, f.module, f.qualname, k.kind, k.name
ORDER BY ms DESC;

-- For people: steps by name.
CREATE VIEW step_totals AS
SELECT name, count(*) AS count, avg(elapsed_ns) / 1e6 AS mean_ms,
       min(elapsed_ns) / 1e6 AS min_ms, max(elapsed_ns) / 1e6 AS max_ms
FROM steps WHERE kind = 'step'
GROUP BY name;
"""
