/* SPDX-License-Identifier: MIT
 *
 * See chores.h.
 */
#include "agent/chores.h"

static void on_timer(uv_timer_t *timer);

static void arm(struct chores *chores)
{
    uint64_t next = 0, now = uv_now(chores->timer.loop);
    for (int i = 0; i < CHORE_COUNT; i++) {
        if (chores->due_ms[i] != 0 && (next == 0 || chores->due_ms[i] < next)) {
            next = chores->due_ms[i];
        }
    }
    if (!chores->is_open || next == 0) {
        return;
    }
    uv_timer_start(&chores->timer, on_timer, next > now ? next - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct chores *chores = timer->data;
    uint64_t now = uv_now(timer->loop);
    for (int i = 0; i < CHORE_COUNT && chores->is_open; i++) {
        if (chores->due_ms[i] != 0 && chores->due_ms[i] <= now) {
            chores->due_ms[i] = 0;
            chores->run(chores->context, (enum chore)i);
        }
    }
    arm(chores);
}

void chores_open(struct chores *chores, uv_loop_t *loop, void (*run)(void *context, enum chore chore), void *context)
{
    *chores = (struct chores){.run = run, .context = context, .is_open = true};
    uv_timer_init(loop, &chores->timer);
    chores->timer.data = chores;
}

void chores_want(struct chores *chores, enum chore chore, uint64_t ms)
{
    uint64_t due = uv_now(chores->timer.loop) + ms;
    due = due == 0 ? 1 : due; /* 0 means unwanted */
    if (chores->is_open && (chores->due_ms[chore] == 0 || due < chores->due_ms[chore])) {
        chores->due_ms[chore] = due;
        arm(chores);
    }
}

void chores_cancel(struct chores *chores, enum chore chore)
{
    chores->due_ms[chore] = 0;
}

void chores_close(struct chores *chores)
{
    if (chores->is_open) {
        chores->is_open = false;
        uv_close((uv_handle_t *)&chores->timer, NULL);
    }
}
