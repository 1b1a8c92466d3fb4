/* SPDX-License-Identifier: Apache-2.0
 *
 * What pyusdt says to people: one line on stderr, written at once and past every buffer of the
 * program (a thread that does not hold the GIL may say something).
 */
#ifndef PYUSDT_SAY_H
#define PYUSDT_SAY_H

/* Write "pyusdt: ", the text (cut to about 500 bytes) and a newline to file descriptor 2. Any
 * thread, no GIL. An error is ignored: there is nobody to tell. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

#endif
