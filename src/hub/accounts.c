#include "hub/accounts.h"

#include <errno.h>

#define ACCOUNT_PREFIX "account:"

enum { HASH_BYTES = 32, KEY_BYTES = 48, COUNT_BYTES = 4 };

_Static_assert((int)HASH_BYTES == (int)FINGERPRINT_BYTES &&
                   HASH_BYTES == (int)TICKET_HASH_BYTES,
               "indexes are by hashes of one size");

static const char setup_key[] = "setup", admins_key[] = "admins";

/* ---- keys ---- */

struct key {
    uint8_t bytes[KEY_BYTES];
    size_t len;
};

static struct bytes view(const struct key *k)
{
    return bytes_make(k->bytes, k->len);
}

static void make_key(struct key *k, const char *prefix, const void *rest, size_t n)
{
    k->len = strlen(prefix) + n;
    assert(k->len <= sizeof k->bytes);
    memcpy(k->bytes, prefix, strlen(prefix));
    if (n > 0)
        memcpy(k->bytes + strlen(prefix), rest, n);
}

static void make_account_key(struct key *k, struct bytes name)
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    account_name_fold(name, folded);
    make_key(k, ACCOUNT_PREFIX, folded, name.len);
}

static void make_index_key(struct key *k, enum accounts_index index, const uint8_t *hash)
{
    make_key(k, index == ACCOUNTS_DEVICE ? "device:" : "token:", hash, HASH_BYTES);
}

static void make_invite_key(struct key *k, const struct ticket *t)
{
    make_key(k, "invite:", t->hash, HASH_BYTES);
}

/* ---- reading ---- */

struct reading {
    struct account *ret;
    bool whole;
};

static void take_account(void *ctx, const struct store_value *value)
{
    struct reading *r = ctx;
    r->whole = account_decode(value->bytes, r->ret);
}

int accounts_read(struct store *s, struct walltime now, struct bytes name, struct account *ret,
                  uint64_t *ret_lsn)
{
    struct key key;
    struct reading reading = {.ret = ret};
    make_account_key(&key, name);
    int r = store_get(s, STORE_SYSTEM, view(&key), now, take_account, &reading, ret_lsn);
    if (r == STORE_MISSING)
        return ACCOUNTS_NONE;
    return r == 0 && !reading.whole ? ACCOUNTS_DAMAGED : r;
}

struct name {
    char text[ACCOUNT_NAME_BYTES];
    size_t len; /* 0: what was read is none */
};

static struct bytes name_view(const struct name *n)
{
    return bytes_make(n->text, n->len);
}

static void take_name(void *ctx, const struct store_value *value)
{
    struct name *name = ctx;
    if (!account_name_is_valid(value->bytes))
        return;
    memcpy(name->text, value->bytes.data, value->bytes.len);
    name->len = value->bytes.len;
}

/* The name an index has. */
static int read_index(struct store *s, struct walltime now, const struct key *key,
                      struct name *ret, uint64_t *ret_lsn)
{
    int r = store_get(s, STORE_SYSTEM, view(key), now, take_name, ret, ret_lsn);
    return r == STORE_MISSING || (r == 0 && ret->len == 0) ? ACCOUNTS_NONE : r;
}

/* The account an index points to. */
static int read_indexed(struct store *s, struct walltime now, enum accounts_index index,
                        const uint8_t *hash, struct account *ret, uint64_t *ret_lsn)
{
    struct key key;
    struct name name = {.len = 0};
    uint64_t lsn = 0;
    make_index_key(&key, index, hash);
    int r = read_index(s, now, &key, &name, ret_lsn);
    if (r == 0)
        r = accounts_read(s, now, name_view(&name), ret, &lsn);
    if (lsn > *ret_lsn)
        *ret_lsn = lsn;
    return r;
}

int accounts_by_device(struct store *s, struct walltime now, const struct fingerprint *f,
                       struct account *ret, uint64_t *ret_lsn)
{
    int r = read_indexed(s, now, ACCOUNTS_DEVICE, f->bytes, ret, ret_lsn);
    return r == 0 && !account_device(ret, f) ? ACCOUNTS_NONE : r;
}

int accounts_by_token(struct store *s, struct walltime now, const struct ticket *t,
                      struct account *ret, uint64_t *ret_lsn)
{
    int r = read_indexed(s, now, ACCOUNTS_TOKEN, t->hash, ret, ret_lsn);
    if (r != 0)
        return r;
    const struct token *token = account_token(ret, t);
    return token && !token_is_over(token, now) ? 0 : ACCOUNTS_NONE;
}

/* ---- changing ---- */

enum { SLOT_ACCOUNT, SLOT_ADMINS, SLOT_INDEX, SLOT_OTHER, SLOT_TICKET, SLOTS };

struct changing {
    const struct accounts_change *change;
    struct account account;
    struct buffer record;
    uint8_t admins[COUNT_BYTES];
    char folded[ACCOUNT_NAME_BYTES + 1];
    struct name owner;                    /* whom the index names; none where it is to go */
    size_t index_at, other_at, ticket_at; /* of the slots; 0: there is none */
};

static uint32_t read_count(const struct store_slot *slot)
{
    const uint8_t *b = slot->old.bytes.data;
    if (!slot->present || slot->old.bytes.len != COUNT_BYTES)
        return 0;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void put(struct store_slot *slot, struct bytes value)
{
    slot->verdict = STORE_PUT;
    slot->value = value;
    slot->expires = STORE_NO_EXPIRY;
}

static int count_admins(struct changing *g, struct store_slot *slot, bool was, bool is)
{
    uint32_t n = read_count(slot);
    if (was == is)
        return 0;
    if (was && n <= 1)
        return ACCOUNTS_LAST_ADMIN;
    n = is ? n + 1 : n - 1;
    for (size_t i = 0; i < COUNT_BYTES; i++)
        g->admins[i] = (uint8_t)(n >> 8 * i);
    put(slot, bytes_make(g->admins, COUNT_BYTES));
    return 0;
}

/* An invite is there or not, and the setup token is the one that is there, while there is no
 * admin; both are good for once. */
static int use_ticket(const struct changing *g, struct store_slot *slots)
{
    const struct accounts_change *c = g->change;
    if (c->uses == ACCOUNTS_NO_TICKET_NEEDED)
        return 0;
    struct store_slot *slot = &slots[g->ticket_at];
    if (!slot->present)
        return ACCOUNTS_NO_TICKET;
    if (c->uses == ACCOUNTS_SETUP) {
        struct ticket kept;
        if (slot->old.bytes.len != sizeof kept.hash || read_count(&slots[SLOT_ADMINS]) > 0)
            return ACCOUNTS_NO_TICKET;
        memcpy(kept.hash, slot->old.bytes.data, sizeof kept.hash);
        if (!ticket_equal(&kept, &c->ticket))
            return ACCOUNTS_NO_TICKET;
    }
    slot->verdict = STORE_REMOVE;
    return 0;
}

static int write_account(struct changing *g, struct store_slot *slot, int verdict)
{
    if (verdict == ACCOUNTS_REMOVE) {
        slot->verdict = STORE_REMOVE;
        return 0;
    }
    buffer_truncate(&g->record, 0);
    int r = account_encode(&g->account, &g->record);
    if (r == 0)
        put(slot, buffer_view(&g->record));
    return r;
}

static bool has_indexed(struct account *a, const struct accounts_change *c)
{
    struct fingerprint f;
    struct ticket t;
    if (c->index == ACCOUNTS_DEVICE) {
        memcpy(f.bytes, c->hash, sizeof f.bytes);
        return account_device(a, &f);
    }
    memcpy(t.hash, c->hash, sizeof t.hash);
    return account_token(a, &t);
}

/* What is to be indexed must not be another account's: of that one's record as of this moment,
 * so the index must name whom it named when the slots were made. g->account is scratch. */
static int check_owner(struct changing *g, const struct store_slot *slots)
{
    struct name owner = {.len = 0};
    if (g->index_at == 0 || g->change->unindexes)
        return 0;
    if (slots[g->index_at].present)
        take_name(&owner, &slots[g->index_at].old);
    if (!bytes_equal(name_view(&owner), name_view(&g->owner)))
        return ACCOUNTS_STALE;
    if (g->other_at == 0 || !slots[g->other_at].present)
        return 0;
    if (!account_decode(slots[g->other_at].old.bytes, &g->account))
        return ACCOUNTS_DAMAGED;
    return has_indexed(&g->account, g->change) ? ACCOUNTS_ELSEWHERE : 0;
}

/* One that names another account by now is that one's. */
static void write_index(const struct changing *g, struct store_slot *slots)
{
    if (g->index_at == 0)
        return;
    struct store_slot *slot = &slots[g->index_at];
    if (!g->change->unindexes)
        put(slot, bytes_from_str(g->folded));
    else if (bytes_equal_str(slot->old.bytes, g->folded))
        slot->verdict = STORE_REMOVE;
}

static int change(void *ctx, struct store_slot *slots, size_t n)
{
    struct changing *g = ctx;
    const struct accounts_change *c = g->change;
    bool exists = slots[SLOT_ACCOUNT].present;
    int r = check_owner(g, slots);
    if (r != 0)
        return r;
    g->account = (struct account){.admin = false};
    if (exists && !account_decode(slots[SLOT_ACCOUNT].old.bytes, &g->account))
        return ACCOUNTS_DAMAGED;
    bool was_admin = g->account.admin;
    int verdict = c->fn(c->ctx, &g->account, exists);
    if (verdict != 0 && verdict != ACCOUNTS_REMOVE)
        return verdict;
    r = use_ticket(g, slots);
    if (r == 0)
        r = count_admins(g, &slots[SLOT_ADMINS], was_admin, verdict == 0 && g->account.admin);
    if (r == 0)
        r = write_account(g, &slots[SLOT_ACCOUNT], verdict);
    if (r == 0)
        write_index(g, slots);
    return r;
}

/* Sets g->owner, where something is to be indexed. */
static int find_owner(struct changing *g, struct store *s, struct walltime now,
                      const struct key *index, uint64_t *ret_lsn)
{
    if (g->change->unindexes)
        return 0;
    int r = read_index(s, now, index, &g->owner, ret_lsn);
    return r == ACCOUNTS_NONE ? 0 : r;
}

static bool is_others(const struct changing *g)
{
    return g->owner.len > 0 && !bytes_equal_str(name_view(&g->owner), g->folded);
}

int accounts_change(struct store *s, struct walltime now, const struct accounts_change *c,
                    uint64_t *ret_lsn)
{
    struct key account, index, other, ticket;
    struct store_slot slots[SLOTS] = {{.key = {0}}};
    struct changing g = {.change = c};
    size_t n = 2;
    make_account_key(&account, c->name);
    account_name_fold(c->name, g.folded);
    slots[SLOT_ACCOUNT].key = view(&account);
    slots[SLOT_ADMINS].key = bytes_from_str(admins_key);
    if (c->hash) {
        make_index_key(&index, c->index, c->hash);
        slots[g.index_at = n++].key = view(&index);
        int r = find_owner(&g, s, now, &index, ret_lsn);
        if (r != 0)
            return r;
    }
    if (is_others(&g)) {
        make_account_key(&other, name_view(&g.owner));
        slots[g.other_at = n++].key = view(&other);
    }
    if (c->uses == ACCOUNTS_INVITE)
        make_invite_key(&ticket, &c->ticket);
    else
        make_key(&ticket, setup_key, NULL, 0);
    if (c->uses != ACCOUNTS_NO_TICKET_NEEDED)
        slots[g.ticket_at = n++].key = view(&ticket);
    buffer_init(&g.record, ACCOUNT_RECORD_BYTES_MAX);
    int r = store_update(s, STORE_SYSTEM, slots, n, now, change, &g, ret_lsn);
    buffer_fini(&g.record);
    return r;
}

/* ---- tickets ---- */

struct keeping {
    struct bytes value;
    struct walltime expires;
};

static int keep(void *ctx, struct store_slot *slots, size_t n)
{
    const struct keeping *k = ctx;
    put(&slots[0], k->value);
    slots[0].expires = k->expires;
    return 0;
}

int accounts_invite(struct store *s, struct walltime now, struct bytes by,
                    const struct ticket *t, struct walltime expires, uint64_t *ret_lsn)
{
    struct key key;
    make_invite_key(&key, t);
    struct store_slot slot = {.key = view(&key)};
    struct keeping keeping = {by, expires};
    return store_update(s, STORE_SYSTEM, &slot, 1, now, keep, &keeping, ret_lsn);
}

static int offer_setup(void *ctx, struct store_slot *slots, size_t n)
{
    const struct ticket *t = ctx;
    if (read_count(&slots[1]) > 0)
        return ACCOUNTS_REFUSED;
    put(&slots[0], bytes_make(t->hash, sizeof t->hash));
    return 0;
}

int accounts_offer_setup(struct store *s, struct walltime now, const struct ticket *t,
                         bool *ret_offered, uint64_t *ret_lsn)
{
    struct store_slot slots[2] = {{.key = bytes_from_str(setup_key)},
                                  {.key = bytes_from_str(admins_key)}};
    struct ticket kept = *t;
    int r = store_update(s, STORE_SYSTEM, slots, 2, now, offer_setup, &kept, ret_lsn);
    if (r != 0 && r != ACCOUNTS_REFUSED)
        return r;
    *ret_offered = r == 0;
    return 0;
}

/* ---- all of them ---- */

struct visiting {
    accounts_each_fn fn;
    void *ctx;
};

static void visit(void *ctx, struct bytes key, const struct store_value *value)
{
    const struct visiting *v = ctx;
    struct account account;
    if (bytes_starts_with(key, ACCOUNT_PREFIX) && account_decode(value->bytes, &account))
        v->fn(v->ctx, &account);
}

int accounts_scan(struct store *s, struct walltime now, uint64_t *cursor, size_t budget,
                  accounts_each_fn fn, void *ctx, uint64_t *ret_lsn)
{
    struct visiting visiting = {fn, ctx};
    return store_scan(s, STORE_SYSTEM, cursor, budget, now, visit, &visiting, ret_lsn);
}
