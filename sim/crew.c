/* SPDX-License-Identifier: MIT
 *
 * See crew.h. Threads that cannot be had are done without: the caller's thread works too.
 */
#include "sim/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define THREADS_MAX 64

struct crew {
    uint32_t jobs;
    void (*run)(void *context, uint32_t number);
    void *context;
    atomic_uint next, done;
};

static void *work_beside(void *argument)
{
    struct crew *crew = argument;
    for (uint32_t number; (number = atomic_fetch_add(&crew->next, 1)) < crew->jobs;) {
        crew->run(crew->context, number);
        atomic_fetch_add(&crew->done, 1);
    }
    return NULL;
}

void crew_work(uint32_t jobs, unsigned threads, void (*run)(void *context, uint32_t number), void *context,
               void (*is_done)(void *listener, uint32_t done), void *listener)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = threads > 0 ? threads : processors > 0 ? (unsigned)processors : 1, started = 0;
    struct crew crew = {.jobs = jobs, .run = run, .context = context};
    pthread_t beside[THREADS_MAX];
    count = count > jobs ? jobs : count;
    count = count > THREADS_MAX ? THREADS_MAX : count;
    while (started + 1 < count && pthread_create(&beside[started], NULL, work_beside, &crew) == 0) {
        started++;
    }
    for (uint32_t number; (number = atomic_fetch_add(&crew.next, 1)) < jobs;) {
        run(context, number);
        uint32_t done = atomic_fetch_add(&crew.done, 1) + 1;
        if (is_done != NULL) {
            is_done(listener, done);
        }
    }
    for (unsigned i = 0; i < started; i++) {
        pthread_join(beside[i], NULL);
    }
}
