/* SPDX-License-Identifier: MIT
 *
 * Where a service is, by DNS: the hosts and ports that its SRV records name (RFC 2782), resolved to addresses, on a thread of libuv's pool. c-ares
 * does the asking; it is looked for when the first question is asked, so that whoever asks none pays nothing.
 */
#ifndef HEARSAY_DRIVER_SRV_H
#define HEARSAY_DRIVER_SRV_H

#include <hearsay/hearsay_uv.h>
#include <uv.h>

#define SRV_ADDRESSES 64

struct srv {
    uv_work_t work; /* its data is the caller's */
    char name[256];
    struct hearsay_address found[SRV_ADDRESSES]; /* by priority */
    size_t count;
    char error[200]; /* why there are none, or "" */
};

/* Asks; done is called on the loop, also after uv_cancel (status UV_ECANCELED). Answers a libuv error. */
int srv_ask(uv_loop_t *loop, struct srv *srv, const char *name, uv_after_work_cb done);

#endif
