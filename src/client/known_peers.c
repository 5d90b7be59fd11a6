#include "client/known_peers.h"

#include "base/number.h"

#include <stdio.h>

struct entry {
    struct known_name who;
    struct known_device device;
};

static struct bytes next_line(struct bytes *text)
{
    size_t end = bytes_find(*text, '\n');
    struct bytes line = bytes_first(*text, end);
    *text = bytes_from(*text, end < text->len ? end + 1 : end);
    return line;
}

static bool means_nothing(struct bytes line)
{
    return line.len == 0 || line.data[0] == '#';
}

static struct bytes next_field(struct bytes *rest)
{
    size_t end = bytes_find(*rest, ' ');
    struct bytes field = bytes_first(*rest, end);
    *rest = bytes_from(*rest, end < rest->len ? end + 1 : end);
    return field;
}

/* NAME@HUB */
static bool read_who(struct bytes field, struct known_name *ret)
{
    struct fingerprint hub;
    size_t at = bytes_find(field, '@');
    if (at == field.len)
        return false;
    ret->name = bytes_first(field, at);
    ret->hub = bytes_from(field, at + 1);
    return account_name_is_valid(ret->name) && fingerprint_read(ret->hub, &hub);
}

/* HOW SECONDS KEY */
static bool read_rest(struct bytes rest, struct known_device *d)
{
    uint64_t seconds;
    if (!known_how_read(next_field(&rest), &d->how) ||
        !number_parse_u64(next_field(&rest), &seconds) || seconds > INT64_MAX / 1000 ||
        !public_key_read(rest, &d->key))
        return false;
    struct fingerprint print = fingerprint_of(&d->key);
    d->since.ms = (int64_t)seconds * 1000;
    d->has_key = true;
    return fingerprint_equal(&print, &d->print);
}

static bool read_entry(struct bytes line, struct entry *e)
{
    struct bytes rest = line;
    *e = (struct entry){.device.how = KNOWN_MET};
    bool whole = read_who(next_field(&rest), &e->who) &&
                 fingerprint_read(next_field(&rest), &e->device.print);
    return whole &&
           (rest.len == 0 ? line.data[line.len - 1] != ' ' : read_rest(rest, &e->device));
}

static bool is_same(const struct known_name *a, const struct known_name *b)
{
    return account_name_equal(a->name, b->name) && bytes_equal(a->hub, b->hub);
}

int known_peers_next(struct bytes *rest, size_t *line, struct known_name *ret_who,
                     struct known_device *ret)
{
    while (rest->len > 0) {
        struct bytes text = next_line(rest);
        struct entry e;
        ++*line;
        if (means_nothing(text))
            continue;
        if (!read_entry(text, &e))
            return KNOWN_PEERS_DAMAGED;
        *ret_who = e.who;
        *ret = e.device;
        return 0;
    }
    return KNOWN_PEERS_END;
}

/* False where there is no room, or it is there. */
static bool add(struct known_peer *p, const struct known_device *d)
{
    if (p->count == LIMIT_KNOWN_DEVICES || known_peer_device(p, &d->print))
        return false;
    p->devices[p->count++] = *d;
    return true;
}

int known_peers_find(struct bytes text, const struct known_name *who, struct known_peer *ret,
                     size_t *ret_line)
{
    struct known_peer found = {.count = 0};
    struct known_name name;
    struct known_device device;
    size_t line = 0;
    int r;
    while ((r = known_peers_next(&text, &line, &name, &device)) == 0) {
        if (is_same(&name, who) && !add(&found, &device))
            r = KNOWN_PEERS_DAMAGED;
        if (r != 0)
            break;
    }
    if (r == KNOWN_PEERS_DAMAGED) {
        *ret_line = line;
        return r;
    }
    *ret = found;
    return 0;
}

/* ---- writing ---- */

static int append_line(struct buffer *out, struct bytes line)
{
    int r = buffer_append_bytes(out, line);
    return r == 0 ? buffer_append_str(out, "\n") : r;
}

static bool is_for_a_signature(enum known_how how)
{
    return how == KNOWN_SIGNED || how == KNOWN_VOUCHED;
}

/* Which of his devices stay. */
struct others {
    const struct fingerprint *but; /* NULL: none of them */
    bool signed_too;
};

static bool stays(const struct others *o, const struct known_device *d)
{
    return o->but && !fingerprint_equal(&d->print, o->but) &&
           (o->signed_too || !is_for_a_signature(d->how));
}

/* All but his; and of his those that stay. */
static int copy_others(struct bytes text, const struct known_name *who, struct others others,
                       struct buffer *out)
{
    int r = 0;
    while (r == 0 && text.len > 0) {
        struct bytes line = next_line(&text);
        struct entry e;
        bool is_his = !means_nothing(line) && read_entry(line, &e) && is_same(&e.who, who);
        if (!is_his || stays(&others, &e.device))
            r = append_line(out, line);
    }
    return r;
}

static int set(struct bytes text, const struct known_name *who,
               const struct known_device *device, bool signed_too, struct buffer *out)
{
    char name[ACCOUNT_NAME_BYTES + 1], print[FINGERPRINT_TEXT_LEN + 1];
    char key[PUBLIC_KEY_TEXT_LEN + 1] = "", line[512];
    account_name_fold(who->name, name);
    fingerprint_write(print, &device->print);
    if (device->has_key)
        public_key_write(key, &device->key);
    int n = snprintf(line, sizeof line, "%s@%.*s %s", name, (int)who->hub.len,
                     (const char *)who->hub.data, print);
    if (device->has_key)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s %lld %s",
                      known_how_word(device->how), (long long)(device->since.ms / 1000), key);
    struct others others = {.but = &device->print, .signed_too = signed_too};
    int r = copy_others(text, who, others, out);
    return r == 0 ? append_line(out, bytes_make(line, (size_t)n)) : r;
}

int known_peers_set(struct bytes text, const struct known_name *who,
                    const struct known_device *device, struct buffer *out)
{
    return set(text, who, device, true, out);
}

int known_peers_doubt(struct bytes text, const struct known_name *who,
                      const struct known_device *device, struct buffer *out)
{
    return set(text, who, device, false, out);
}

int known_peers_forget(struct bytes text, const struct known_name *who, struct buffer *out)
{
    return copy_others(text, who, (struct others){.but = NULL}, out);
}
