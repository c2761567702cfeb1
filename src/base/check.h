/* SPDX-License-Identifier: MIT
 *
 * CHECK: a programmer's error stops the program, always. The world's errors are counted and dropped instead, the user's are
 * answered with a hearsay_err; neither comes here.
 */
#ifndef HEARSAY_BASE_CHECK_H
#define HEARSAY_BASE_CHECK_H

#if defined(__GNUC__)
#define CHECK_STOP() __builtin_trap()
#else
#define CHECK_STOP() (*(volatile int *)0 = 0)
#endif
#define CHECK(condition) ((condition) ? (void)0 : CHECK_STOP())

#endif
