#include "kithd/daemon.h"

#include "base/log_line.h"
#include "hub/hub_name.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/folder.h"
#include "io/notify.h"
#include "io/own_addresses.h"
#include "io/problem.h"
#include "io/program.h"
#include "io/usage.h"
#include "kithd/credential.h"
#include "kithd/data_path.h"
#include "kithd/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { HOST_BYTES = 80 };

struct daemon {
    const struct options *options;
    struct log_file *log;
    struct listener listeners[LIMIT_LISTENERS];
    bool replies_full[LIMIT_LISTENERS];
    size_t listener_count;
    char *data;
    struct folder *folder;
    struct embedded *store;
    struct credential credential;
    struct committer *committer;
    struct hub_shared shared;
    struct worker_config worker_config;
    struct worker *workers[LIMIT_WORKERS];
    atomic_size_t worker_count; /* those that were started */
    atomic_size_t ended_count;  /* of them, those whose threads are at their end */
    uv_loop_t loop;             /* the main thread's: signals and wake-ups */
    uv_signal_t interrupt, terminate, hangup;
    uv_async_t wake;
    atomic_bool stop_wanted, failed;
    bool stopping;
    bool has_served; /* a worker was there, so something may have been answered */
    int descriptors_max;
    char os[sizeof(struct utsname)], executable[PATH_MAX];
};

/* ---- what it says ---- */

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("kithd: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return DAEMON_NO_START;
}

static void log_event(struct daemon *d, enum log_level level, const char *message,
                      const char *key, const char *value)
{
    struct buffer out;
    buffer_init(&out, LIMIT_LOG_BUFFER_BYTES);
    struct log_line line = log_line_begin(&out, level, message);
    if (key)
        log_line_str(&line, key, value);
    log_line_end(&line);
    log_file_write(d->log, buffer_view(&out));
    buffer_fini(&out);
}

static void log_recovery(struct daemon *d, const struct recovery_report *report)
{
    struct buffer out;
    buffer_init(&out, LIMIT_LOG_BUFFER_BYTES);
    struct log_line line =
        log_line_begin(&out, report->cut ? LOG_WARNING : LOG_INFO,
                       report->cut ? "recovered; an unfinished write was cut" : "recovered");
    log_line_str(&line, "data", d->data);
    log_line_number(&line, "entries", (int64_t)report->entries);
    log_line_number(&line, "changes", (int64_t)report->changes);
    if (report->cut) {
        log_line_str(&line, "file", report->file);
        log_line_number(&line, "offset", (int64_t)report->offset);
    }
    log_line_end(&line);
    log_file_write(d->log, buffer_view(&out));
    buffer_fini(&out);
}

/* ---- listeners ---- */

/* Is what l was to be bound to one of our own already, perhaps by another name? Of two TCP
 * sockets of ours that do not listen yet, the second is bound without a word. */
static bool is_ours(const struct daemon *d, const struct options_listener *wanted,
                    const struct listener *l)
{
    for (size_t i = 0; i < d->listener_count; i++) {
        const struct listener *own = &d->listeners[i];
        if (wanted->is_unix ? listener_is_at(own, wanted->host)
                            : !own->is_unix && strcmp(own->text, l->text) == 0)
            return true;
    }
    return false;
}

static int refuse_listener(const struct options_listener *wanted, int error)
{
    if (error == -EADDRINUSE && wanted->is_unix)
        return refuse("%s is taken: somebody listens there already", wanted->host);
    if (error == -EADDRINUSE)
        return refuse("%s port %u is taken: somebody listens there already; "
                      "--listen ADDR:PORT names another",
                      wanted->host, wanted->port);
    if (error == -EEXIST)
        return refuse("%s is there already, and is no socket", wanted->host);
    if (wanted->is_unix)
        return refuse("cannot listen on %s: %s", wanted->host, problem_text(error));
    return refuse("cannot listen on %s port %u: %s", wanted->host, wanted->port,
                  problem_text(error));
}

static int bind_listener(struct daemon *d, const struct options_listener *wanted)
{
    struct listener *l = &d->listeners[d->listener_count];
    int r = wanted->is_unix ? listener_bind_unix(l, wanted->host)
                            : listener_bind_tcp(l, wanted->host, wanted->port);
    if (is_ours(d, wanted, l)) {
        listener_close(l);
        return refuse("%s is listened on twice", wanted->is_unix ? wanted->host : l->text);
    }
    /* A path where nobody listens yet would be taken for a left-over by another hub. */
    if (r == 0 && wanted->is_unix)
        r = listener_listen(l, d->options->backlog);
    d->replies_full[d->listener_count] = wanted->replies_full;
    d->listener_count += r == 0;
    if (r < 0) {
        listener_close(l);
        return refuse_listener(wanted, r);
    }
    if (d->shared.config.tcp_port == 0)
        d->shared.config.tcp_port = l->port;
    return 0;
}

static int bind_all(struct daemon *d)
{
    for (size_t i = 0; i < d->options->listener_count; i++) {
        int r = bind_listener(d, &d->options->listeners[i]);
        if (r != 0)
            return r;
    }
    return 0;
}

static int listen_all(struct daemon *d)
{
    for (size_t i = 0; i < d->listener_count; i++) {
        int r = listener_listen(&d->listeners[i], d->options->backlog);
        /* Of two sockets of this process the second fails only here. */
        if (r == -EADDRINUSE)
            return refuse("%s is taken, perhaps by another listener of this hub",
                          d->listeners[i].text);
        if (r < 0)
            return refuse("cannot listen on %s: %s", d->listeners[i].text, problem_text(r));
    }
    return 0;
}

/* ---- the store ---- */

static int open_folder(struct daemon *d)
{
    d->data = d->options->data ? strdup(d->options->data)
                               : data_path_default(d->listeners, d->listener_count);
    if (!d->data)
        return refuse("there is no home folder to keep data in: say --data DIR");
    pid_t holder = 0;
    int r = folder_open(d->data, &d->folder, &holder);
    if (r == FOLDER_IN_USE)
        return refuse("%s is in use by another kithd (process %d)", d->data, (int)holder);
    if (r == FOLDER_IS_OPEN)
        return folder_find_data(d->data) == 0
                   ? refuse("%s must be yours alone: chmod 700 it", d->data)
                   : refuse("%s is not yours alone: name a new folder, or an empty one that is "
                            "(chmod 700)",
                            d->data);
    if (r < 0)
        return refuse("cannot use %s: %s", d->data, problem_text(r));
    return 0;
}

/* By the table's time, which may be ahead of a clock that was set back. */
static void note_start(struct daemon *d)
{
    enum { NO_NEWS_MS = 1000 };
    struct walltime clock = clock_walltime(), started = store_time(d->shared.store, clock);
    d->shared.config.started = started;
    if (started.ms - clock.ms < NO_NEWS_MS)
        return;
    struct buffer out;
    buffer_init(&out, LIMIT_LOG_BUFFER_BYTES);
    struct log_line line = log_line_begin(
        &out, LOG_WARNING, "the clock is behind what it was when the log was written");
    log_line_number(&line, "seconds", (started.ms - clock.ms) / 1000);
    log_line_end(&line);
    log_file_write(d->log, buffer_view(&out));
    buffer_fini(&out);
}

static int open_store(struct daemon *d, uint64_t secret)
{
    struct embedded_config config = {
        .durability = d->options->second ? EMBEDDED_SECOND : EMBEDDED_COMMIT,
        .secret = secret,
    };
    struct recovery_report report = {0};
    int r =
        embedded_open(&d->store, &config, folder_disk(d->folder), clock_walltime(), &report);
    if (r == RECOVERY_CORRUPT)
        return refuse("%s/%s is corrupt at offset %llu: %s; nothing was changed", d->data,
                      report.file, (unsigned long long)report.offset, report.problem);
    if (r == RECOVERY_NEWER)
        return refuse(
            "%s/%s was written by a newer kith (it says so at offset %llu); nothing was "
            "changed",
            d->data, report.file, (unsigned long long)report.offset);
    if (disk_error_is_full(r))
        return refuse("the disk of %s is full: to start, a hub needs room for a small file",
                      d->data);
    if (r < 0)
        return refuse("cannot open %s: %s", d->data, problem_text(r));
    log_recovery(d, &report);
    d->shared.store = embedded_store(d->store);
    note_start(d);
    store_watch(d->shared.store, exchange_on_change, &d->shared.exchange);
    return 0;
}

static void warn_of(struct daemon *d, int result, const char *what)
{
    if (result < 0)
        log_event(d, LOG_WARNING, what, "reason", problem_text(result));
}

/* A hub that cannot keep a key, since its disk is full, is of use all the same; the more so one
 * that only has no room for the rest. */
static void open_credential(struct daemon *d)
{
    struct credential *c = &d->credential;
    int r = credential_open(c, d->store, d->listeners, d->listener_count);
    warn_of(d, r, "no TLS: the hub's key cannot be kept");
    if (r < 0)
        return;
    warn_of(d, credential_publish(c, d->folder), CREDENTIAL_FILE " cannot be written");
    warn_of(d, credential_offer_setup(c, d->store),
            "no setup token for the first admin: it cannot be kept");
    log_event(d, LOG_INFO, "this hub is known by its", "fingerprint", c->fingerprint);
    d->shared.tls = c->tls;
}

/* On the thread that makes the log's files: none is made meanwhile. */
static void log_stuck(struct daemon *d, int error)
{
    struct buffer out;
    buffer_init(&out, LIMIT_LOG_BUFFER_BYTES);
    struct log_line line = log_line_begin(
        &out, LOG_ERROR,
        disk_error_is_full(error) ? "cannot make room on the disk; trying again"
                                  : "cannot make the log's next file; trying again");
    log_line_str(&line, "data", d->data);
    log_line_number(&line, "wanted_bytes", (int64_t)wal_trouble(embedded_wal(d->store)).bytes);
    log_line_str(&line, "reason", problem_text(error));
    log_line_end(&line);
    log_file_write(d->log, buffer_view(&out));
    buffer_fini(&out);
}

/* On the committer's threads. */
static void on_committer(void *ctx, enum committer_event event, int error)
{
    struct daemon *d = ctx;
    if (event == COMMITTER_MOVED) {
        size_t n = atomic_load(&d->worker_count);
        for (size_t i = 0; i < n; i++)
            worker_log_moved(d->workers[i]);
        return;
    }
    if (event == COMMITTER_STUCK) {
        log_stuck(d, error);
        return;
    }
    if (event == COMMITTER_UNSTUCK) {
        log_event(d, LOG_INFO,
                  disk_error_is_full(error)
                      ? "there is room on the disk again; writes are taken"
                      : "made the log's next file; writes are taken again",
                  "data", d->data);
        return;
    }
    if (event == COMMITTER_UNSAVED) {
        log_event(d, LOG_ERROR, "cannot make a checkpoint; the log grows meanwhile", "reason",
                  problem_text(error));
        return;
    }
    log_event(d, LOG_ERROR, "the disk has failed; nothing more is acknowledged; stopping",
              "reason", problem_text(error));
    atomic_store(&d->failed, true);
    atomic_store(&d->stop_wanted, true);
    uv_async_send(&d->wake);
}

static void store_name(struct daemon *d)
{
    uint64_t lsn;
    int r = hub_name_write(d->shared.store, clock_walltime(), bytes_from_str(d->options->name),
                           &lsn);
    committer_wake(d->committer);
    log_event(d, r == 0 ? LOG_INFO : LOG_WARNING, r == 0 ? "named" : "cannot keep the name",
              "name", d->options->name);
}

/* ---- running and stopping ---- */

static void stop_workers(struct daemon *d, void (*stop)(struct worker *w))
{
    size_t n = atomic_load(&d->worker_count);
    for (size_t i = 0; i < n; i++)
        stop(d->workers[i]);
}

/* The first time in good order; asked again, or with nothing to promise any more, at once. */
static void begin_stop(struct daemon *d)
{
    bool at_once = d->stopping || atomic_load(&d->failed);
    if (!d->stopping)
        notify_supervisor("STOPPING=1");
    d->stopping = true;
    stop_workers(d, at_once ? worker_abort : worker_stop);
}

static void on_wake(uv_async_t *wake)
{
    struct daemon *d = wake->data;
    if (atomic_exchange(&d->stop_wanted, false))
        begin_stop(d);
    if (atomic_load(&d->ended_count) == atomic_load(&d->worker_count))
        uv_stop(&d->loop);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    log_event(d, LOG_INFO, "stopping", "signal", number == SIGINT ? "SIGINT" : "SIGTERM");
    begin_stop(d);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    int r = log_file_reopen(d->log);
    if (r < 0)
        log_event(d, LOG_ERROR, "cannot reopen the log; the old one is kept", "reason",
                  problem_text(r));
    else
        log_event(d, LOG_INFO, "log reopened", NULL, NULL);
}

/* On a worker's thread. */
static void on_stop_wanted(void *ctx)
{
    struct daemon *d = ctx;
    atomic_store(&d->stop_wanted, true);
    uv_async_send(&d->wake);
}

static void on_ended(void *ctx)
{
    struct daemon *d = ctx;
    atomic_fetch_add(&d->ended_count, 1);
    uv_async_send(&d->wake);
}

static int open_loop(struct daemon *d)
{
    int r = uv_loop_init(&d->loop);
    if (r < 0)
        return refuse("cannot start: %s", problem_text(r));
    d->wake.data = d->interrupt.data = d->terminate.data = d->hangup.data = d;
    uv_async_init(&d->loop, &d->wake, on_wake);
    uv_signal_init(&d->loop, &d->interrupt);
    uv_signal_init(&d->loop, &d->terminate);
    uv_signal_init(&d->loop, &d->hangup);
    uv_signal_start(&d->interrupt, on_stop_signal, SIGINT);
    uv_signal_start(&d->terminate, on_stop_signal, SIGTERM);
    uv_signal_start(&d->hangup, on_hangup, SIGHUP);
    return 0;
}

static void close_loop(struct daemon *d)
{
    uv_close((uv_handle_t *)&d->wake, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    uv_close((uv_handle_t *)&d->terminate, NULL);
    uv_close((uv_handle_t *)&d->hangup, NULL);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
}

/* What the hub holds itself, and some clients. */
static int descriptors_needed(const struct options *o)
{
    enum { OWN = 16, OF_A_WORKER = 5, CLIENTS = 32 };
    size_t listeners = o->listener_count;
    return (int)(OWN + listeners + o->workers * (OF_A_WORKER + listeners) + CLIENTS +
                 LIMIT_DESCRIPTORS_SPARE);
}

/* How many descriptors connections may take. A hub that had none left for its log's next file
 * could keep nothing any more; one that has none for clients is no hub. */
static int raise_descriptor_limit(struct daemon *d)
{
    struct rlimit limit = {.rlim_max = INT_MAX};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    int max = limit.rlim_max > INT_MAX ? INT_MAX : (int)limit.rlim_max;
    if (max < descriptors_needed(d->options))
        return refuse("%d open files are too few: it needs %d (ulimit -n)", max,
                      descriptors_needed(d->options));
    d->descriptors_max = max - (int)LIMIT_DESCRIPTORS_SPARE;
    return 0;
}

static int start_workers(struct daemon *d)
{
    d->worker_config = (struct worker_config){
        .shared = &d->shared,
        .listeners = d->listeners,
        .replies_full = d->replies_full,
        .listener_count = d->listener_count,
        .backlog = d->options->backlog,
        .descriptors_max = d->descriptors_max,
        .one_at_a_time = d->options->one_at_a_time,
        .committer = d->committer,
        .log = d->log,
        .stop_wanted = on_stop_wanted,
        .ended = on_ended,
        .ctx = d,
    };
    for (unsigned i = 0; i < d->options->workers; i++) {
        int r = worker_start(&d->workers[i], &d->worker_config);
        if (r < 0)
            return refuse("cannot start a worker: %s", problem_text(r));
        d->has_served = true;
        atomic_fetch_add(&d->worker_count, 1);
    }
    return 0;
}

/* Somebody reads standard output and the log on one screen. */
static bool is_watched(const struct daemon *d)
{
    return !d->options->log && isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

/* Where others find a listener for all addresses: [::] takes IPv4, too. The machine's name
 * where it has no address but its own. */
static void write_host(const struct listener *l, char out[HOST_BYTES])
{
    struct own_address own[OWN_ADDRESSES_MAX];
    size_t count = own_addresses(own, OWN_ADDRESSES_MAX);
    struct net_address found;
    struct utsname uts;
    char text[NET_ADDRESS_TEXT_BYTES];
    if (l->text[0] == '[' && own_addresses_for_others(own, count, true, &found)) {
        net_address_write(text, &found);
        snprintf(out, HOST_BYTES, "[%s]", text);
    } else if (own_addresses_for_others(own, count, false, &found)) {
        net_address_write(out, &found);
    } else {
        snprintf(out, HOST_BYTES, "%s", uname(&uts) == 0 ? uts.nodename : "localhost");
    }
}

/* The first TCP listener as others may reach it. */
static void print_join_string(const struct daemon *d)
{
    const struct listener *l = d->listeners;
    char host[HOST_BYTES];
    while (l < d->listeners + d->listener_count && l->is_unix)
        l++;
    if (l == d->listeners + d->listener_count)
        return;
    if (listener_is_everywhere(l)) {
        write_host(l, host);
        printf("Join with kith://%s:%u#%s\n", host, l->port, d->credential.fingerprint);
    } else {
        printf("Join with kith://%s#%s\n", l->text, d->credential.fingerprint);
    }
}

/* The token is said here and nowhere else: not in the log. */
static void announce_identity(struct daemon *d)
{
    if (d->credential.tls)
        print_join_string(d);
    if (d->credential.setup[0])
        printf("Setup token for the first admin: %s\n", d->credential.setup);
    sodium_memzero(d->credential.setup, sizeof d->credential.setup);
}

static void announce(struct daemon *d)
{
    for (size_t i = 0; i < d->listener_count; i++)
        printf("Server listening on %s\n", d->listeners[i].text);
    announce_identity(d);
    fflush(stdout);
    for (size_t i = 0; i < d->listener_count && !is_watched(d); i++)
        log_event(d, LOG_INFO, "listening", "on", d->listeners[i].text);
    notify_supervisor("READY=1");
}

/* Signals are the main thread's: threads started while they are blocked never see one. */
static void set_signals(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(how, &set, NULL);
}

static int serve(struct daemon *d)
{
    int r = start_workers(d);
    set_signals(SIG_UNBLOCK);
    if (r == 0)
        announce(d);
    else
        stop_workers(d, worker_abort);
    if (atomic_load(&d->worker_count) > 0)
        uv_run(&d->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < atomic_load(&d->worker_count); i++)
        worker_join(d->workers[i]);
    return r;
}

/* The committer speaks to workers until it has ended, so they are freed after it. */
static int finish_store(struct daemon *d)
{
    int error = committer_finish(d->committer);
    size_t n = atomic_exchange(&d->worker_count, 0);
    for (size_t i = 0; i < n; i++)
        worker_free(d->workers[i]);
    if (error < 0)
        return DAEMON_FAILED;
    log_event(d, LOG_INFO, "stopped", NULL, NULL);
    return DAEMON_DONE;
}

static int run_store(struct daemon *d)
{
    set_signals(SIG_BLOCK);
    open_credential(d);
    int r = committer_start(&d->committer, d->store, d->options->workers, on_committer, d);
    if (r < 0)
        return refuse("cannot start: %s", problem_text(r));
    if (d->options->name)
        store_name(d);
    r = listen_all(d);
    if (r == 0)
        r = serve(d);
    int finished = finish_store(d);
    return r != 0 ? r : finished;
}

/* ---- the whole ---- */

static size_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
}

/* What connections may make the hub hold besides the table; see LIMIT_HELD_BYTES_MIN. */
static size_t held_bytes_max(void)
{
    size_t quarter = machine_memory() / 4;
    return quarter > LIMIT_HELD_BYTES_MIN ? quarter : LIMIT_HELD_BYTES_MIN;
}

/* What INFO tells of where it runs. */
static void fill_about(struct daemon *d)
{
    struct hub_config *config = &d->shared.config;
    struct utsname uts;
    if (uname(&uts) == 0)
        snprintf(d->os, sizeof d->os, "%s %s %s", uts.sysname, uts.release, uts.machine);
    program_self(d->executable);
    config->os = d->os;
    config->executable = d->executable;
    config->machine_memory = machine_memory();
    config->usage = usage_read;
}

static enum hub_registration registration_of(const struct options *o)
{
    static const enum hub_registration of[] = {
        [OPTIONS_REGISTRATION_OPEN] = HUB_REGISTRATION_OPEN,
        [OPTIONS_REGISTRATION_INVITE] = HUB_REGISTRATION_INVITE,
        [OPTIONS_REGISTRATION_CLOSED] = HUB_REGISTRATION_CLOSED,
    };
    return of[o->registration];
}

static enum hub_relay relay_of(const struct options *o)
{
    static const enum hub_relay of[] = {
        [OPTIONS_RELAY_CHAT] = HUB_RELAY_CHAT,
        [OPTIONS_RELAY_OFF] = HUB_RELAY_OFF,
        [OPTIONS_RELAY_ALL] = HUB_RELAY_ALL,
    };
    return of[o->relay];
}

static void fill_config(struct daemon *d, const uint8_t random[20])
{
    const struct options *o = d->options;
    struct hub_config *config = &d->shared.config;
    *config = (struct hub_config){
        .delay_ms = o->delay_ms,
        .unframed_ms = o->unframed_ms,
        .open = o->open,
        .open_admin = o->open_admin,
        .log_requests = o->log_requests,
        .registration = registration_of(o),
        .relay = relay_of(o),
        .relay_hour_bytes = LIMIT_RELAY_HOUR_BYTES,
        .password_cost = password_cost_default,
        .held_bytes_max = held_bytes_max(),
        .guests_max = (size_t)d->descriptors_max / 2, /* others keep the rest */
        .memory_max = o->memory_max,
        .uid = geteuid(),
        .holds_replies = !o->second,
        .pid = (uint32_t)getpid(),
        .workers = o->workers,
    };
    for (size_t i = 0; i < 20; i++)
        snprintf(config->run_id + 2 * i, 3, "%02x", random[i]);
    fill_about(d);
}

static int fill_secrets(struct daemon *d)
{
    int r = entropy_fill(d->shared.config.seed, sizeof d->shared.config.seed);
    return r == 0 ? entropy_fill(&d->shared.throttle.seed, sizeof d->shared.throttle.seed) : r;
}

/* A start that was refused leaves no trace. */
static void daemon_fini(struct daemon *d, int result)
{
    for (size_t i = 0; i < d->listener_count; i++)
        listener_close(&d->listeners[i]);
    credential_close(&d->credential);
    introductions_fini(&d->shared.introductions);
    directory_fini(&d->shared.directory);
    relays_fini(&d->shared.relays);
    embedded_free(d->store);
    if (result == DAEMON_NO_START && !d->has_served)
        folder_retract(d->data, d->folder);
    else
        folder_close(d->folder);
    log_file_close(d->log);
    free(d->data);
    free(d);
}

static int daemon_start(struct daemon *d)
{
    uint8_t run_id[20];
    uint64_t secret = 0;
    int r = entropy_fill(run_id, sizeof run_id);
    if (r == 0)
        r = entropy_fill(&secret, sizeof secret);
    if (r < 0)
        return refuse("cannot get random numbers: %s", problem_text(r));
    fill_config(d, run_id);
    r = fill_secrets(d);
    if (r < 0)
        return refuse("cannot get random numbers: %s", problem_text(r));
    r = log_file_open(d->options->log, &d->log);
    if (r < 0)
        return refuse("cannot log to %s: %s", d->options->log, problem_text(r));
    r = bind_all(d);
    if (r == 0)
        r = open_folder(d);
    if (r == 0)
        r = open_store(d, secret);
    return r;
}

int daemon_run(const struct options *options)
{
    struct daemon *d = calloc(1, sizeof *d);
    if (!d)
        return refuse("out of memory");
    d->options = options;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file as large as it may be is told by EFBIG */
    int r = raise_descriptor_limit(d);
    if (r == 0)
        r = daemon_start(d);
    if (r == 0)
        r = open_loop(d);
    if (r == 0) {
        r = run_store(d);
        close_loop(d);
    }
    daemon_fini(d, r);
    return r;
}
