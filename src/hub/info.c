#include "hub/info.h"

#include "base/clean.h"
#include "base/limits.h"
#include "hub/hub.h"
#include "hub/hub_name.h"
#include "store/disk.h"

#include <errno.h>
#include <stdio.h>

enum { DAY_SECONDS = 86400 };

struct info {
    struct call *call;
    const struct hub_shared *shared;
    struct usage usage;
    struct buffer text;
    bool failed;
};

/* ---- lines */

__attribute__((format(printf, 2, 3))) static void line(struct info *info, const char *format,
                                                       ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (buffer_append(&info->text, text, len) != 0 ||
        buffer_append_str(&info->text, "\r\n") != 0)
        info->failed = true;
}

static void line_number(struct info *info, const char *name, uint64_t number)
{
    line(info, "%s:%llu", name, (unsigned long long)number);
}

/* What may be long, and is not ours. */
static void line_of(struct info *info, const char *name, const char *value)
{
    enum { VALUE_BYTES = 4096 };
    if (buffer_append_str(&info->text, name) != 0 || buffer_append_str(&info->text, ":") != 0 ||
        clean_append(&info->text, bytes_from_str(value), VALUE_BYTES) != 0 ||
        buffer_append_str(&info->text, "\r\n") != 0)
        info->failed = true;
}

/* A size twice: in bytes, and as people read it. */
static void line_size(struct info *info, const char *name, uint64_t bytes)
{
    static const char units[] = "BKMGT";
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1024 && units[unit + 1]; unit++)
        size /= 1024;
    line_number(info, name, bytes);
    line(info, unit == 0 ? "%s_human:%.0f%c" : "%s_human:%.2f%c", name, size, units[unit]);
}

static size_t workers(const struct info *info)
{
    return atomic_load(&info->shared->exchange.box_count);
}

static void line_tally(struct info *info, const char *name, enum tally_kind kind)
{
    struct hub_shared *shared = info->call->hub->shared;
    line_number(info, name, tally_sum(shared->tallies, workers(info), kind));
}

static double rate(const struct info *info, enum tally_kind kind)
{
    struct hub *hub = info->call->hub;
    return tally_rate(hub->shared->tallies, workers(info), kind, hub->now);
}

/* ---- sections */

static void server_name(struct info *info)
{
    const struct hub *hub = info->call->hub;
    struct buffer name;
    buffer_init(&name, LIMIT_NAME_BYTES + 1);
    uint64_t lsn = 0;
    if (hub_name_read(hub->shared->store, hub->wall, &name, &lsn) != 0)
        info->failed = true;
    reply_depends(info->call->reply, lsn);
    line(info, "name:%.*s", (int)buffer_len(&name), (const char *)buffer_view(&name).data);
    buffer_fini(&name);
}

static void server(struct info *info)
{
    const struct hub_config *config = &info->shared->config;
    int64_t now = info->call->hub->wall.ms;
    int64_t uptime = now > config->started.ms ? (now - config->started.ms) / 1000 : 0;
    line(info, "kith_version:%s", KITH_VERSION);
    line(info, "redis_version:7.0.0"); /* what clients read to know what they may send */
    line(info, "redis_mode:standalone");
    server_name(info);
    if (config->os)
        line_of(info, "os", config->os);
    line(info, "arch_bits:%zu", 8 * sizeof(void *));
    line(info, "process_id:%u", config->pid);
    line(info, "run_id:%s", config->run_id);
    line(info, "tcp_port:%u", config->tcp_port);
    line(info, "workers:%u", config->workers);
    line_number(info, "server_time_usec", (uint64_t)now * 1000);
    line(info, "uptime_in_seconds:%lld", (long long)uptime);
    line(info, "uptime_in_days:%lld", (long long)uptime / DAY_SECONDS);
    if (config->executable)
        line_of(info, "executable", config->executable);
    line(info, "config_file:"); /* there is none to be read */
}

static void clients(struct info *info)
{
    line_number(info, "connected_clients", atomic_load(&info->shared->counters.connections));
    line(info, "blocked_clients:0"); /* there is no command that blocks */
}

static void memory(struct info *info)
{
    const struct hub_shared *shared = info->shared;
    line_size(info, "used_memory", store_memory(shared->store));
    if (info->usage.resident_bytes > 0)
        line_size(info, "used_memory_rss", info->usage.resident_bytes);
    if (info->usage.resident_max > 0)
        line_size(info, "used_memory_rss_peak", info->usage.resident_max);
    if (shared->config.machine_memory > 0)
        line_size(info, "total_system_memory", shared->config.machine_memory);
    line(info, "mem_clients_normal:%zu",
         (size_t)atomic_load(&shared->counters.held) * CONNECTION_HELD_UNIT);
    line_size(info, "maxmemory", shared->config.memory_max);
    line(info, "maxmemory_policy:noeviction");
}

/* What is the matter with the log's next file; what it means for writes is in store.h. */
static const char *writes(struct store *s)
{
    int error = store_trouble(s);
    if (error == 0)
        return "ok";
    return disk_error_is_full(error) ? "disk_full" : "no_next_file";
}

static void persistence(struct info *info)
{
    struct store *store = info->shared->store;
    struct store_saved saved;
    store_saved(store, &saved);
    line(info, "loading:0"); /* nobody is answered before everything is */
    line(info, "rdb_bgsave_in_progress:%d", saved.running);
    line(info, "rdb_last_save_time:%lld", (long long)(saved.last.ms / 1000));
    line(info, "rdb_last_bgsave_status:%s", saved.error == 0 ? "ok" : "err");
    line(info, "aof_enabled:1");
    line(info, "writes:%s", writes(store));
    line(info, "durability:%s", info->shared->config.holds_replies ? "commit" : "second");
    line_number(info, "durable_lsn", store_durable(store));
}

static void stats(struct info *info)
{
    struct store_stats keys;
    uint64_t lsn = 0;
    store_stats(info->shared->store, STORE_USER, info->call->hub->wall, &keys, &lsn);
    reply_depends(info->call->reply, lsn);
    line_number(info, "total_connections_received",
                atomic_load(&info->shared->counters.connections_total));
    line_number(info, "handshakes_closed_for_others",
                handshakes_closed(&info->call->hub->shared->handshakes));
    line_tally(info, "total_commands_processed", TALLY_COMMANDS);
    line(info, "instantaneous_ops_per_sec:%.0f", rate(info, TALLY_COMMANDS));
    line_tally(info, "total_net_input_bytes", TALLY_BYTES_IN);
    line_tally(info, "total_net_output_bytes", TALLY_BYTES_OUT);
    line(info, "instantaneous_input_kbps:%.2f", rate(info, TALLY_BYTES_IN) / 1024);
    line(info, "instantaneous_output_kbps:%.2f", rate(info, TALLY_BYTES_OUT) / 1024);
    line_number(info, "expired_keys", keys.expired);
    line(info, "evicted_keys:0"); /* that is the policy */
    line_tally(info, "keyspace_hits", TALLY_HITS);
    line_tally(info, "keyspace_misses", TALLY_MISSES);
}

static void replication(struct info *info)
{
    line(info, "role:master");
    line(info, "connected_slaves:0");
}

static void cpu(struct info *info)
{
    uint64_t user = info->usage.user_us, system = info->usage.system_us;
    if (!info->shared->config.usage)
        return;
    line(info, "used_cpu_sys:%llu.%06llu", (unsigned long long)system / 1000000,
         (unsigned long long)system % 1000000);
    line(info, "used_cpu_user:%llu.%06llu", (unsigned long long)user / 1000000,
         (unsigned long long)user % 1000000);
}

static void cluster(struct info *info)
{
    line(info, "cluster_enabled:0");
}

static void keyspace(struct info *info)
{
    struct store_stats keys;
    uint64_t lsn = 0;
    store_stats(info->shared->store, STORE_USER, info->call->hub->wall, &keys, &lsn);
    reply_depends(info->call->reply, lsn);
    if (keys.keys > 0)
        line(info, "db0:keys=%zu,expires=%zu,avg_ttl=%llu", keys.keys, keys.expiring,
             (unsigned long long)keys.ttl_ms);
}

/* ---- the whole */

static const struct section {
    const char *name;
    void (*write)(struct info *info);
} sections[] = {
    {"Server", server},     {"Clients", clients},
    {"Memory", memory},     {"Persistence", persistence},
    {"Stats", stats},       {"Replication", replication},
    {"CPU", cpu},           {"Cluster", cluster},
    {"Keyspace", keyspace},
};

static bool is_wanted(const struct call *call, const char *name)
{
    if (call->argc == 1)
        return true;
    for (size_t i = 1; i < call->argc; i++) {
        if (bytes_equal_nocase_str(call->argv[i], name) ||
            bytes_equal_nocase_str(call->argv[i], "all") ||
            bytes_equal_nocase_str(call->argv[i], "default") ||
            bytes_equal_nocase_str(call->argv[i], "everything"))
            return true;
    }
    return false;
}

int info_run(struct call *call)
{
    struct info info = {.call = call, .shared = call->hub->shared};
    buffer_init(&info.text, LIMIT_TEXT_LINE_BYTES);
    if (info.shared->config.usage)
        info.shared->config.usage(&info.usage);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (!is_wanted(call, sections[i].name))
            continue;
        if (buffer_len(&info.text) > 0)
            line(&info, "%s", "");
        line(&info, "# %s", sections[i].name);
        sections[i].write(&info);
    }
    if (info.failed)
        call->reply->failed = -ENOMEM;
    else
        reply_text(call->reply, buffer_view(&info.text));
    buffer_fini(&info.text);
    return COMMAND_DONE;
}
