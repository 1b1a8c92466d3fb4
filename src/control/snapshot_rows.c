/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "control/snapshot_parts.h"

uint32_t snapshot_text(struct snapshot *s, const char *text) {
    uint32_t at = (uint32_t)s->texts.size;

    rows_append(&s->texts, text, strlen(text) + 1);
    return at;
}

static uint32_t id_of(const struct code_record *code) {
    return code ? code->id : PYUSDT_ID_OTHERS;
}

size_t snapshot_bit(const struct code_record *code) {
    return code ? code->id : 0;
}

int snapshot_function(struct snapshot *s, const struct code_record *code) {
    struct pyusdt_counts_function function = {.id = id_of(code), .line = code ? code->line : 0};

    if (!bits_add(&s->shadow->named, snapshot_bit(code), &s->shadow->failed))
        return 0;
    function.module = snapshot_text(s, code ? code->module : "");
    function.qualname = snapshot_text(s, code ? code->qualname : "(others)");
    function.name = snapshot_text(s, code ? code->function : "(others)");
    function.file = snapshot_text(s, code ? code->file : "");
    return rows_append(&s->functions, &function, sizeof function);
}

struct pyusdt_counts_node snapshot_node(const struct snapshot *s,
                                        const struct calltree_sample *sample) {
    const struct pyusdt_node *node = sample->node;
    uint32_t parent = node->parent ? node->parent->index : 0;

    return (struct pyusdt_counts_node){
        .serial = s->reading->row.serial,
        .index = node->index,
        .parent = parent ? (int32_t)parent : -1,
        .function = node->id,
        .calls = sample->calls,
        .resumes = sample->resumes,
        .errors = sample->errors,
        .elapsed = sample->self + sample->others,
        .self = sample->self,
    };
}

struct pyusdt_counts_total snapshot_total(const struct snapshot *s,
                                          const struct calltree_total *total) {
    return (struct pyusdt_counts_total){
        .serial = s->reading->row.serial,
        .function = id_of(total->code),
        .calls = total->calls,
        .primitive_calls = total->primitive_calls,
        .resumes = total->resumes,
        .errors = total->errors,
        .total = total->total,
        .self = total->self,
    };
}

struct pyusdt_counts_line snapshot_line(const struct snapshot *s,
                                        const struct calltree_line *line) {
    return (struct pyusdt_counts_line){
        .serial = s->reading->row.serial,
        .function = line->code->id,
        .line = line->line,
        .hits = line->hits,
        .errors = line->errors,
        .total = line->total,
        .self = line->self,
    };
}

struct pyusdt_counts_line *snapshot_open_line(const struct snapshot *s,
                                              const struct calltree_line *line) {
    struct pyusdt_counts_line *first =
        (struct pyusdt_counts_line *)s->open_lines.data + s->reading->first_line;
    struct pyusdt_counts_line *row = first + s->reading->n_line;

    while (row > first)
        if ((--row)->function == line->code->id && row->line == line->line)
            return row;
    return NULL;
}
