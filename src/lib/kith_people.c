#include <kith/kith.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "client/accepting.h"
#include "lib/people.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t wait_ms(int timeout_ms)
{
    return timeout_ms < 0 ? DIAL_FOREVER : (uint64_t)timeout_ms;
}

/* KITH_OK where somebody has logged in. */
static enum kith_result check_people(struct kith *k)
{
    if (!k)
        return KITH_NO_MEMORY;
    if (k->people)
        return KITH_OK;
    handle_note(k, "nobody has logged in with this handle");
    return KITH_INVALID;
}

static enum kith_result check_name(struct kith *k, const char *name)
{
    if (name && account_name_is_valid(bytes_from_str(name)))
        return KITH_OK;
    handle_note(k, "nobody can be called that");
    return KITH_INVALID;
}

static enum kith_result check_text(struct kith *k, struct kith_bytes text)
{
    struct bytes b = bytes_make(text.data, text.data ? text.len : 0);
    if (b.len > 0 && b.len <= LIMIT_TALK_TEXT_BYTES && utf8_is_valid(b))
        return KITH_OK;
    handle_note(k, "a text is UTF-8, and 1 byte to 64 KiB");
    return KITH_INVALID;
}

enum kith_result kith_login(struct kith *k)
{
    if (!k)
        return KITH_NO_MEMORY;
    if (!k->where.host[0]) {
        handle_note(k, "people meet over TLS: at HOST:PORT, not at a Unix socket");
        return KITH_INVALID;
    }
    people_free(k->people);
    k->people = NULL;
    return people_open(k);
}

const char *kith_name(const struct kith *k)
{
    return k && k->people ? k->people->presence.name : "";
}

enum kith_result kith_accept(struct kith *k, const char *whom)
{
    char *copy = NULL;
    if (!k)
        return KITH_NO_MEMORY;
    if (whom && !accepting_is_valid(whom)) {
        handle_note(k, "names, as in alice,bob, or all");
        return KITH_INVALID;
    }
    if (whom && !(copy = strdup(whom))) {
        handle_note(k, "out of memory for the names");
        return KITH_NO_MEMORY;
    }
    free(k->accepts);
    k->accepts = copy;
    if (k->people)
        people_wishes(k->people);
    return KITH_OK;
}

enum kith_result kith_want(struct kith *k, unsigned what)
{
    if (!k)
        return KITH_NO_MEMORY;
    if (what & ~(unsigned)(KITH_LETTERS | KITH_COMINGS)) {
        handle_note(k, "there is nothing else to want but letters, comings and goings");
        return KITH_INVALID;
    }
    k->wants |= what;
    if (k->people)
        people_wishes(k->people);
    return KITH_OK;
}

enum kith_result kith_people(struct kith *k, const struct kith_person **ret, size_t *ret_count)
{
    enum kith_result result = check_people(k);
    if (result == KITH_OK)
        result = people_list(k->people);
    if (result != KITH_OK)
        return result;
    *ret = k->people->roll.people;
    *ret_count = k->people->roll.count;
    return KITH_OK;
}

enum kith_result kith_say(struct kith *k, const char *name, struct kith_bytes text,
                          int timeout_ms)
{
    enum kith_result result = check_people(k);
    if (result == KITH_OK)
        result = check_name(k, name);
    if (result == KITH_OK)
        result = check_text(k, text);
    if (result != KITH_OK)
        return result;
    return people_say(k->people, bytes_from_str(name), bytes_make(text.data, text.len),
                      wait_ms(timeout_ms));
}

enum kith_result kith_leave_letter(struct kith *k, const char *name, struct kith_bytes text,
                                   int timeout_ms)
{
    enum kith_result result = check_people(k);
    if (result == KITH_OK)
        result = check_name(k, name);
    if (result != KITH_OK)
        return result;
    return people_leave_letter(k->people, bytes_from_str(name),
                               bytes_make(text.data, text.data ? text.len : 0),
                               wait_ms(timeout_ms));
}

/* Who wants nothing but texts may have been built when there were only the first two fields. */
static void show(const struct kith *k, const struct message *m, struct kith_message *ret)
{
    ret->from = m->from;
    ret->text = kith_data(m->words.data, m->words.len);
    if (k->wants == 0)
        return;
    ret->kind = m->kind;
    ret->written = m->written;
}

enum kith_result kith_receive(struct kith *k, int timeout_ms, struct kith_message *ret)
{
    const struct message *m;
    enum kith_result result = check_people(k);
    if (result == KITH_OK)
        result = people_receive(k->people, wait_ms(timeout_ms), &m);
    if (result == KITH_OK)
        show(k, m, ret);
    return result;
}

enum kith_result kith_end_talk(struct kith *k, const char *name)
{
    enum kith_result result = check_people(k);
    if (result == KITH_OK)
        result = check_name(k, name);
    if (result != KITH_OK)
        return result;
    return people_end_talk(k->people, bytes_from_str(name)) ? KITH_OK : KITH_MISSING;
}

int kith_people_fd(const struct kith *k)
{
    return k && k->people ? uv_backend_fd(&k->people->loop) : -1;
}
