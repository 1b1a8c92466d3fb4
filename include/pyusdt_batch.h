/* SPDX-License-Identifier: Apache-2.0
 *
 * The records that the probe `events` reports, many in one trap: an interface, which never changes
 * except for new kinds.
 *
 *     events(records, n):  records ----> | record 0 | record 1 | ... | record n - 1 |
 *
 * Each record is one entry into a function or one exit from it. A batch belongs to one thread. Its
 * records are in the order in which things happened, and so are the thread's batches. The probe
 * fires when a batch has PYUSDT_BATCH records; when its first one is between one and two polls of
 * the watcher old (PYUSDT_CHECK_MSEC); when the thread has ended; and at the end of the program. So
 * another thread may hit the probe: `tid` is right. Records that wait when os._exit(), execve() or
 * a signal ends the process are lost. A child of fork begins with no records of its parent.
 *
 * The records are readable while the probe is hit, and no longer. code__new maps `id` to a
 * function, and fires before the first record with that id. In bpftrace, of 64-bit words:
 *
 *     $record = (uint64 *)uptr(arg0 + 32 * $i)         for each $i below arg1
 *     $record[1] & 0xffffffff, $record[1] >> 32        id and kind
 */
#ifndef PYUSDT_BATCH_H
#define PYUSDT_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* Records of a batch, at most. */
#define PYUSDT_BATCH 64

#define PYUSDT_RECORD_TIME_NS 0
#define PYUSDT_RECORD_ID 8
#define PYUSDT_RECORD_KIND 12
#define PYUSDT_RECORD_TID 16
#define PYUSDT_RECORD_LINE 20
#define PYUSDT_RECORD_SERIAL 24

/* What happened: entries, then exits, each as the event PY_* of that name. */
enum pyusdt_kind {
    PYUSDT_KIND_START,
    PYUSDT_KIND_RESUME,
    PYUSDT_KIND_THROW,
    PYUSDT_KIND_RETURN,
    PYUSDT_KIND_YIELD,
    PYUSDT_KIND_UNWIND
};

struct pyusdt_event {
    uint64_t time_ns; /* CLOCK_MONOTONIC (bpftrace: nsecs); in a thread it never goes back */
    uint32_t id;      /* of the function, as in code__new */
    uint32_t kind;    /* enum pyusdt_kind */
    uint32_t tid;
    int32_t line;    /* co_firstlineno */
    uint64_t serial; /* of the record in its thread: 1, 2, ... since the probe is watched */
};

#ifdef __cplusplus
#define PYUSDT_ASSERT static_assert
#else
#define PYUSDT_ASSERT _Static_assert
#endif
#define PYUSDT_AT(field, offset)                                                                   \
    PYUSDT_ASSERT(offsetof(struct pyusdt_event, field) == (offset), "tracers read " #field)
PYUSDT_AT(time_ns, PYUSDT_RECORD_TIME_NS);
PYUSDT_AT(id, PYUSDT_RECORD_ID);
PYUSDT_AT(kind, PYUSDT_RECORD_KIND);
PYUSDT_AT(tid, PYUSDT_RECORD_TID);
PYUSDT_AT(line, PYUSDT_RECORD_LINE);
PYUSDT_AT(serial, PYUSDT_RECORD_SERIAL);
PYUSDT_ASSERT(sizeof(struct pyusdt_event) == 32, "tracers step by this");
#undef PYUSDT_AT
#undef PYUSDT_ASSERT

#endif
