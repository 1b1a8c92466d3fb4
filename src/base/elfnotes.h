/* SPDX-License-Identifier: Apache-2.0
 *
 * Which USDT probes a file has, read from its ELF notes (the format is drawn in usdt.h).
 *
 * No Python.h, no GIL, no allocation. A file that is damaged, or changes while it is read, costs a
 * bounded number of reads and nothing else.
 */
#ifndef PYUSDT_BASE_ELFNOTES_H
#define PYUSDT_BASE_ELFNOTES_H

/* 1 if the file has that probe, 0 if not, -1 if that cannot be determined: there is no such file,
 * or it is not a 64-bit ELF of this machine's byte order, is cut short, or exceeds our bounds. */
int elfnotes_have(const char *path, const char *provider, const char *name);

#endif
