/* SPDX-License-Identifier: MIT
 *
 * See script.h. Standard output and error are one pipe, so that their order is kept. A script is over when its shell is: what it
 * left running in the background may go on, but is not waited for (Differs: Serf waits until the last of them closes the pipe).
 */
#include "agent/script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define SLOW_MS 1000
#define MERCY_MS 2000                 /* between the request to end and the end */
#define FREE_BYTES ((uint64_t)1 << 20) /* beyond, output is read slowly: a flood must not keep us busy */
#define BREATH_MS 10
#define REST_BYTES 131072 /* more than a pipe holds */

enum stage { STAGE_FRESH, STAGE_SLOW, STAGE_ASKED, STAGE_KILLED };

struct script {
    uv_process_t process;
    uv_pipe_t input, output;
    uv_timer_t clock, breath;
    uv_write_t writing;
    char *given; /* what is written to its standard input */
    uint64_t limit_ms;
    void (*on_slow)(void *user);
    void (*on_end)(void *user, const struct script_result *result);
    void *user;
    enum stage stage;
    unsigned handles; /* open ones */
    uint64_t printed;
    char ring[SCRIPT_OUTPUT_BYTES];
    char room[16384];
};

extern char **environ;

static void on_closed(uv_handle_t *handle)
{
    struct script *s = handle->data;
    if (--s->handles == 0) {
        free(s->given);
        free(s);
    }
}

static void close_one(void *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void close_all(struct script *s)
{
    if (s->process.type == UV_PROCESS) {
        close_one(&s->process);
    }
    close_one(&s->input);
    close_one(&s->output);
    close_one(&s->clock);
    close_one(&s->breath);
}

void script_forget(struct script *s)
{
    s->on_end = NULL;
    close_all(s);
}

/* ---- what it prints ---- */

static void keep(struct script *s, const char *data, size_t size)
{
    for (size_t i = size > sizeof s->ring ? size - sizeof s->ring : 0; i < size; i++) {
        s->ring[(s->printed + i) % sizeof s->ring] = data[i];
    }
    s->printed += size;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct script *s = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(s->room, sizeof s->room);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void on_breath(uv_timer_t *timer)
{
    struct script *s = timer->data;
    if (!uv_is_closing((uv_handle_t *)&s->output)) {
        uv_read_start((uv_stream_t *)&s->output, give_room, on_output);
    }
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct script *s = stream->data;
    if (size < 0) {
        uv_read_stop(stream);
        return;
    }
    keep(s, buffer->base, (size_t)size);
    if (s->printed > FREE_BYTES) {
        uv_read_stop(stream);
        uv_timer_start(&s->breath, on_breath, BREATH_MS, 0);
    }
}

/* The shell is gone: all it printed is in the pipe. Others may still hold the pipe and print. */
static void read_rest(struct script *s)
{
    int fd;
    ssize_t got = 1;
    if (uv_fileno((uv_handle_t *)&s->output, &fd) != 0) {
        return;
    }
    for (size_t sum = 0; got > 0 && sum < REST_BYTES; sum += (size_t)got) {
        got = read(fd, s->room, sizeof s->room);
        if (got > 0) {
            keep(s, s->room, (size_t)got);
        } else if (got < 0 && errno == EINTR) {
            got = 1;
        }
    }
}

/* ---- its end ---- */

static void on_ended(uv_process_t *process, int64_t code, int signal_number)
{
    struct script *s = process->data;
    char output[SCRIPT_OUTPUT_BYTES];
    if (s->stage >= STAGE_ASKED) {
        kill(-process->pid, SIGKILL); /* what it started may have ignored the request */
    }
    read_rest(s);
    size_t size = s->printed < sizeof output ? (size_t)s->printed : sizeof output;
    for (size_t i = 0; i < size; i++) {
        output[i] = s->ring[(s->printed - size + i) % sizeof s->ring];
    }
    struct script_result result = {.exit_code = (int)code, .signal = signal_number, .was_stopped = s->stage >= STAGE_ASKED,
                                   .output = {(const uint8_t *)output, size}, .printed = s->printed};
    void (*on_end)(void *user, const struct script_result *) = s->on_end;
    close_all(s);
    if (on_end != NULL) {
        on_end(s->user, &result);
    }
}

static void on_clock(uv_timer_t *timer)
{
    struct script *s = timer->data;
    if (s->stage == STAGE_FRESH) {
        s->stage = STAGE_SLOW;
        if (s->on_slow != NULL) {
            s->on_slow(s->user);
        }
        if (s->limit_ms > 0) {
            uv_timer_start(timer, on_clock, s->limit_ms > SLOW_MS ? s->limit_ms - SLOW_MS : 0, 0);
        }
    } else if (s->stage == STAGE_SLOW) {
        s->stage = STAGE_ASKED;
        kill(-s->process.pid, SIGTERM);
        uv_timer_start(timer, on_clock, MERCY_MS, 0);
    } else {
        s->stage = STAGE_KILLED;
        kill(-s->process.pid, SIGKILL);
    }
}

/* ---- its start ---- */

static bool is_replaced(const char *variable, const struct words *added)
{
    size_t length = strcspn(variable, "=");
    for (size_t i = 0; i < added->count; i++) {
        if (strncmp(added->at[i], variable, length) == 0 && added->at[i][length] == '=') {
            return true;
        }
    }
    return false;
}

/* Ours with what is added; strings are borrowed. */
static char **environment(const struct words *added)
{
    size_t count = 0, at = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **all = must(calloc(count + added->count + 1, sizeof *all));
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(environ[i], added)) {
            all[at++] = environ[i];
        }
    }
    for (size_t i = 0; i < added->count; i++) {
        all[at++] = added->at[i];
    }
    return all;
}

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* who does not read its input need not */
    close_one(request->handle);
}

static void give_input(struct script *s, struct hearsay_bytes input)
{
    if (input.size > 0) {
        s->given = must(malloc(input.size));
        memcpy(s->given, input.data, input.size);
        uv_buf_t buffer = uv_buf_init(s->given, (unsigned)input.size);
        if (uv_write(&s->writing, (uv_stream_t *)&s->input, &buffer, 1, on_written) == 0) {
            return;
        }
    }
    close_one(&s->input);
}

static void open_handles(struct script *s, uv_loop_t *loop)
{
    uv_pipe_init(loop, &s->input, 0);
    uv_pipe_init(loop, &s->output, 0);
    uv_timer_init(loop, &s->clock);
    uv_timer_init(loop, &s->breath);
    s->input.data = s->output.data = s->clock.data = s->breath.data = s->process.data = s;
    s->handles = 4; /* uv_spawn makes a fifth, even when it fails */
}

static int spawn(struct script *s, uv_loop_t *loop, const struct script_order *order, int inlet, int outlet)
{
    char *arguments[] = {"/bin/sh", "-c", (char *)order->command, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = inlet},
        {.flags = UV_INHERIT_FD, .data.fd = outlet},
        {.flags = UV_INHERIT_FD, .data.fd = outlet},
    };
    char **variables = environment(order->added);
    uv_process_options_t options = {.file = "/bin/sh", .args = arguments, .env = variables, .stdio = stdio, .stdio_count = 3,
                                    .flags = UV_PROCESS_DETACHED, .exit_cb = on_ended};
    s->handles++;
    int problem = uv_spawn(loop, &s->process, &options);
    free(variables);
    return problem;
}

/* Takes fd, also when it fails. */
static int take(uv_pipe_t *pipe, int fd)
{
    int problem = fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ? UV_EBADF : uv_pipe_open(pipe, fd);
    if (problem != 0) {
        close(fd);
    }
    return problem;
}

/* Pipes of our own: uv_spawn would make sockets, which a script cannot open as /dev/stdin. */
static int start(struct script *s, uv_loop_t *loop, const struct script_order *order)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0) {
        return uv_translate_sys_error(errno);
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        int problem = uv_translate_sys_error(errno);
        close(in[0]);
        close(in[1]);
        return problem;
    }
    int problem = take(&s->input, in[1]), other = take(&s->output, out[0]);
    problem = problem != 0 ? problem : other != 0 ? other : spawn(s, loop, order, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    return problem;
}

struct script *script_start(uv_loop_t *loop, const struct script_order *order, char *error, size_t size)
{
    struct script *s = must(calloc(1, sizeof *s));
    s->limit_ms = order->limit_ms;
    s->on_slow = order->on_slow;
    s->on_end = order->on_end;
    s->user = order->user;
    open_handles(s, loop);
    int problem = start(s, loop, order);
    if (problem != 0) {
        snprintf(error, size, "%s", uv_strerror(problem));
        script_forget(s);
        return NULL;
    }
    uv_read_start((uv_stream_t *)&s->output, give_room, on_output);
    uv_timer_start(&s->clock, on_clock, s->limit_ms > 0 && s->limit_ms < SLOW_MS ? s->limit_ms : SLOW_MS, 0);
    give_input(s, order->input);
    return s;
}
