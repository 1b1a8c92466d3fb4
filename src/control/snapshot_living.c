/* SPDX-License-Identifier: Apache-2.0
 *
 * What lives, summed by place and by the epoch in which it was allocated: by a look at each block.
 */
#include <stdlib.h>

#include "control/snapshot_parts.h"
#include "memory/account.h"

/* Sums are kept up to so many. */
enum { SUMS_MAX = 1 << 20, FIRST_SUMS_LOG2 = 10 };

/* Open addressing; rows without blocks and bytes are free. */
struct sums {
    struct account_living *rows; /* owned */
    uint32_t log2, n;
};

static struct account_living *find(const struct sums *sums, const struct account_living *of) {
    uint64_t key = (uint64_t)of->place << 32 | of->epoch;
    uint32_t mask = (UINT32_C(1) << sums->log2) - 1;
    uint32_t i = (uint32_t)(key * 0x9E3779B97F4A7C15u >> (64 - sums->log2));

    for (;; i = (i + 1) & mask) {
        struct account_living *row = &sums->rows[i];

        if ((!row->blocks && !row->bytes) || (row->place == of->place && row->epoch == of->epoch))
            return row;
    }
}

static bool grow(struct sums *sums) {
    uint32_t n = sums->rows ? UINT32_C(1) << sums->log2 : 0;
    struct sums larger = {.log2 = sums->rows ? sums->log2 + 1 : FIRST_SUMS_LOG2, .n = sums->n};

    larger.rows = calloc(UINT32_C(1) << larger.log2, sizeof *larger.rows);
    if (!larger.rows)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (sums->rows[i].blocks || sums->rows[i].bytes)
            *find(&larger, &sums->rows[i]) = sums->rows[i];
    free(sums->rows);
    *sums = larger;
    return true;
}

/* False: no memory. */
static bool add(struct sums *sums, const struct account_living *of, uint64_t *lost) {
    struct account_living *row;

    if ((!sums->rows || sums->n >= (UINT32_C(1) << sums->log2) / 2) && sums->n < SUMS_MAX &&
        !grow(sums))
        return false;
    row = find(sums, of);
    if (row->blocks || row->bytes) {
        row->bytes += of->bytes;
        row->blocks += of->blocks;
    } else if (sums->n == SUMS_MAX) {
        *lost += of->blocks;
    } else if (of->blocks || of->bytes) {
        *row = *of;
        sums->n++;
    }
    return true;
}

/* The blocks of a piece; the next one has its room. */
struct piece {
    struct account_living *rows; /* owned */
    size_t n, room;
};

/* False: no memory. */
static bool read_piece(struct piece *piece, unsigned number) {
    while ((piece->n = account_read_living(number, piece->rows, piece->room)) > piece->room) {
        free(piece->rows);
        piece->room = piece->n + piece->n / 8; /* it may grow meanwhile */
        piece->rows = malloc(piece->room * sizeof *piece->rows);
        if (!piece->rows)
            return false;
    }
    return true;
}

static bool sum_up(struct sums *sums, uint64_t *lost) {
    struct piece piece = {0};
    bool fits = true;

    for (unsigned number = 0; number < ACCOUNT_PIECES && fits; number++) {
        fits = read_piece(&piece, number);
        for (size_t i = 0; i < piece.n && fits; i++)
            fits = add(sums, &piece.rows[i], lost);
    }
    free(piece.rows);
    return fits;
}

static bool append(struct snapshot *s, const struct account_living *sum, uint64_t since) {
    struct memory_place place;
    struct pyusdt_counts_living row;
    int known = snapshot_memory_place(s, sum->place, &place);

    if (known <= 0)
        return known == 0;
    row = (struct pyusdt_counts_living){
        .serial = place.serial,
        .index = place.index,
        .function = place.function,
        .line = place.line,
        .since = since,
        .bytes = sum->bytes,
        .blocks = sum->blocks,
    };
    return rows_append(&s->living, &row, sizeof row) >= 0;
}

bool snapshot_read_living(struct snapshot *s) {
    uint64_t *began = calloc(ACCOUNT_EPOCHS, sizeof *began);
    struct sums sums = {0};
    bool fits = began && sum_up(&sums, &s->n_living_lost);
    uint32_t n = sums.rows ? UINT32_C(1) << sums.log2 : 0;

    if (fits)
        account_epochs(began);
    for (uint32_t i = 0; i < n && fits; i++)
        if (sums.rows[i].blocks || sums.rows[i].bytes)
            fits = append(s, &sums.rows[i], began[sums.rows[i].epoch]);
    free(sums.rows);
    free(began);
    return fits;
}
