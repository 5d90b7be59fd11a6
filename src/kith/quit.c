/* kith quit: stops the hub, and where that is a process of this machine waits until it has
 * ended, so that its port and its data are free. A hub that stops closes the connection and
 * answers nothing; it waits a while for its clients to close theirs, so kith does. */

#include "kith/command.h"

#include "base/number.h"
#include "io/process_end.h"

#include <unistd.h>

enum { WAIT_MS = 60 * 1000 };

static bool is_on_this_machine(const struct where *w)
{
    return w->path[0] || strncmp(w->host, "127.", 4) == 0 || strcmp(w->host, "::1") == 0 ||
           strcmp(w->host, "localhost") == 0;
}

/* "process_id:123" in a line of its own; 0 where there is none. */
static pid_t find_pid(struct bytes info)
{
    static const char name[] = "\r\nprocess_id:";
    const uint8_t *at =
        info.len > 0 ? memmem(info.data, info.len, name, sizeof name - 1) : NULL;
    if (!at)
        return 0;
    struct bytes rest = bytes_from(info, (size_t)(at - info.data) + sizeof name - 1);
    int64_t pid;
    return number_parse_i64(bytes_first(rest, bytes_find(rest, '\r')), &pid) ? (pid_t)pid : 0;
}

/* *ret_fd is -1 where there is nothing to wait for. */
static int find_process(struct session *s, int *ret_fd)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("INFO"), bytes_from_str("server")};
    *ret_fd = -1;
    if (!is_on_this_machine(&s->where))
        return EXIT_DONE;
    int code = session_ask(s, argv, 2, &reply);
    if (code == EXIT_DONE && reply->kind == RESP_BULK &&
        process_end_open(find_pid(reply->text), "kithd", ret_fd) < 0)
        *ret_fd = -1;
    return code;
}

static int stop(struct session *s)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("SHUTDOWN")};
    int code = session_ask_last(s, argv, 1, &reply);
    return code == EXIT_DONE && reply ? session_strange(s) : code;
}

static void tell(struct output *o)
{
    if (!o->json) {
        if (!o->quiet)
            output_line(o, "Server Quitting..!", bytes_make(NULL, 0));
        return;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bool(&j, "stopped", true);
    output_json(o, &j);
}

static int await_end(struct session *s, int fd)
{
    int r = process_end_wait(fd, WAIT_MS);
    close(fd);
    return r == PROCESS_END_TIMEOUT
               ? session_fail(s, EXIT_FAILED,
                              "the hub is stopping, but has not ended after %d s",
                              WAIT_MS / 1000)
               : EXIT_DONE;
}

int quit_run(struct session *s)
{
    int fd;
    int code = find_process(s, &fd);
    if (code == EXIT_DONE)
        code = stop(s);
    session_hang_up(s);
    if (code == EXIT_DONE)
        tell(&s->output);
    if (code == EXIT_DONE && fd >= 0)
        return await_end(s, fd);
    if (fd >= 0)
        close(fd);
    return code;
}
