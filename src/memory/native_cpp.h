/* SPDX-License-Identifier: Apache-2.0
 *
 * The hooks of C++'s new and delete. Those of the C++ library take memory from malloc(), which has
 * its own hooks; these are for an allocator that brings a new and a delete of its own (jemalloc,
 * tcmalloc).
 *
 * Private to: memory
 */
#ifndef PYUSDT_MEMORY_NATIVE_CPP_H
#define PYUSDT_MEMORY_NATIVE_CPP_H

#include "base/got.h"

extern struct got native_cpp;

#endif
