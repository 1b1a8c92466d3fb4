/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters: which functions are reported, by name. No Python.h, no allocation, any thread.
 *
 * A filter is a list of patterns with commas (and spaces) between them. A pattern with a colon is
 * two globs, for the module and for the qualified name: "myapp.views:Shop.*". A pattern without a
 * colon covers the module and all below it: "myapp" matches myapp and myapp.views, but not
 * myapplication. In a glob, * stands for any characters and ? for one. The empty list has no
 * pattern.
 */
#ifndef PYUSDT_BASE_FILTER_H
#define PYUSDT_BASE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

/* 0, or -1 if `patterns` is not such a list: `why` then describes what is wrong, as the end of a
 * sentence ("has an empty pattern"). */
int filter_check(const char *patterns, char *why, size_t size);

/* Whether the filters drop a function of these names. Both lists have been checked; all strings are
 * borrowed for the call. The cost is at most the length of the lists times that of the names. */
bool filter_rejects(const char *only, const char *exclude, const char *module,
                    const char *qualname);

#endif
