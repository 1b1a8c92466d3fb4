/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters: which functions are told of, by name. No Python.h, no allocation, any thread.
 *
 * A filter is a list of patterns with commas (and spaces) between them. A pattern with a colon is
 * two globs, for the module and for the qualified name: "myapp.views:Shop.*". One without covers
 * the module and all below it: "myapp" is myapp, myapp.views, but not myapplication. In a glob, *
 * stands for any characters and ? for one. The empty list has no pattern.
 */
#ifndef PYUSDT_BASE_FILTER_H
#define PYUSDT_BASE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

/* 0, or -1 where `patterns` is no such list; `why` is then what is wrong with it, as the end of a
 * sentence ("has an empty pattern"). */
int filter_check(const char *patterns, char *why, size_t size);

/* Whether a function of these names is not told of. Both lists have been checked; all strings are
 * borrowed for the call. At worst as many steps as characters in the lists times in the names. */
bool filter_rejects(const char *only, const char *exclude, const char *module,
                    const char *qualname);

#endif
