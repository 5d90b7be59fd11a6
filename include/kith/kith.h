#ifndef KITH_KITH_H
#define KITH_KITH_H

/* libkith: values in the durable table of a kith hub, and people to talk with, from C and C++.
 *
 *     struct kith *k;
 *     if (kith_open(NULL, NULL, &k) == KITH_OK)
 *         kith_store(k, kith_text("color"), kith_text("blue"));
 *     fprintf(stderr, "%s\n", kith_problem(k));
 *     kith_close(k);
 *
 * Each call asks the hub and waits for its answer. KITH_OK to something that was changed, and
 * every answer, is true and on the hub's disk: no crash takes it back (unless the hub was
 * started with --durability second).
 *
 * Keys are 1 byte to 64 KiB, values at most 64 MiB; both may hold any bytes. What a call is
 * given, it only reads, and no longer than until it returns. What it returns is untouched
 * where it does not say KITH_OK, but for kith_open.
 *
 * A connection is for one thread at a time, and only for the process that opened it; different
 * connections have nothing to do with each other. The library prints nothing, ends nothing,
 * raises no signal and keeps no state of its own. Only to look up a hub's name it makes a
 * thread, which takes no signals and ends when it is done. (What is below about people takes
 * some more.) */

#include <stddef.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KITH_API __attribute__((visibility("default")))
#define KITH_INLINE static __inline__ /* gcc and clang have it in C89, too */

/* 0 is done; positive is an answer that is no; negative is a failure. */
enum kith_result {
    KITH_OK = 0,

    KITH_MISSING = 1, /* there is no such key */
    KITH_DIFFERS = 2, /* the key has not the value it should have; nothing was changed */
    KITH_NOTHING = 3, /* nothing has happened in that time */
    KITH_ABSENT = 4,  /* he is not here, or does not answer: a letter would wait for him */

    /* Of one call; the connection goes on. */
    KITH_INVALID = -1, /* no hub can do this: a key is empty, say, or too large */
    KITH_REFUSED = -2, /* the hub did not do it: its disk is full, for instance */
    KITH_DENIED = -3,  /* the hub does not let this connection do it */

    /* The end of the connection: every later call fails in the same way, and what was asked
     * last may have been done or not. kith_close it, and kith_open another. */
    KITH_UNREACHABLE = -4, /* there is no hub there */
    KITH_LOST = -5,        /* the connection broke, or the hub ended it */
    KITH_SILENT = -6,      /* the hub took too long */
    KITH_FOREIGN = -7,     /* what answers there is no kith hub */

    KITH_NO_MEMORY = -8, /* of one call, or the end: kith_is_open tells */
    KITH_CHANGED = -9,   /* the other end shows another key than before; likewise */
    KITH_FAILED =
        -10 /* this machine did not do it: its profile cannot be used, say; likewise */
};

/* A run of bytes: a key, a value. data may be NULL where len is 0. */
struct kith_bytes {
    const void *data;
    size_t len;
};

KITH_INLINE struct kith_bytes kith_data(const void *data, size_t len)
{
    struct kith_bytes bytes;
    bytes.data = data;
    bytes.len = len;
    return bytes;
}

/* The bytes of a string, without the NUL at its end. */
KITH_INLINE struct kith_bytes kith_text(const char *text)
{
    size_t len = 0;
    while (text[len] != '\0')
        len++;
    return kith_data(text, len);
}

/* No value at all, which is not the same as an empty one. */
KITH_INLINE struct kith_bytes kith_absent(void)
{
    return kith_data(NULL, (size_t)-1);
}

/* One connection to a hub. */
struct kith;

struct kith_options {
    /* Milliseconds without a byte from or to the hub until a call gives up; also the time a
     * connection may take to come about. 0: 30 seconds. */
    unsigned timeout_ms;

    /* Whose key and memory to use, what the kith command calls --as. NULL: "default", as it. */
    const char *profile;

    /* Where other people's devices reach this one, 1024 to 65535. 0: any that is free. */
    unsigned short peer_port;
};

/* Connects to the hub at `where`, written as for the kith command:
 *
 *     HOST   HOST:PORT   :PORT   V6   [V6]   [V6]:PORT   a path with '/' in it   unix:PATH
 *     kith://ADDRESS   kith://ADDRESS#FINGERPRINT
 *
 * The latter two are spoken to over TLS, where the profile's key is shown: it has to be a
 * device of an account for the hub to do what it is asked. The hub has to have that
 * fingerprint, or else the one it had when this profile met it first, which is remembered;
 * where it has another one, that is KITH_CHANGED.
 *
 * NULL is the place that the environment's KITH_HUB names, else 127.0.0.1:12345. options may
 * be NULL; who sets some of it sets the rest to 0. KITH_OK, KITH_INVALID (where is no place),
 * KITH_UNREACHABLE, KITH_SILENT, KITH_FOREIGN, KITH_LOST, KITH_CHANGED, KITH_FAILED,
 * KITH_NO_MEMORY.
 *
 * *ret is set in any case, for kith_problem to tell what went wrong; kith_close it in any case.
 * It is NULL only where there was no memory for it, and may be given to every function. */
KITH_API enum kith_result kith_open(const char *where, const struct kith_options *options,
                                    struct kith **ret);

/* Closes the connection and frees everything but what kith_get and kith_echo returned. Talks
 * end, which may take two seconds. Takes NULL. */
KITH_API void kith_close(struct kith *k);

/* 1 until a call has found that the connection has ended; then 0. */
KITH_API int kith_is_open(const struct kith *k);

/* Stores the value, whether there was one before or not; one that would have expired now does
 * not. KITH_OK, or a failure. */
KITH_API enum kith_result kith_store(struct kith *k, struct kith_bytes key,
                                     struct kith_bytes value);

/* Fetches the value: KITH_OK, KITH_MISSING, or a failure. *ret_value is for kith_free; behind
 * its *ret_len bytes there is a NUL more, so a value without NULs is a string. ret_len may be
 * NULL. */
KITH_API enum kith_result kith_get(struct kith *k, struct kith_bytes key, char **ret_value,
                                   size_t *ret_len);

/* Removes the key: KITH_OK, KITH_MISSING, or a failure. */
KITH_API enum kith_result kith_delete(struct kith *k, struct kith_bytes key);

/* Stores value only if the key has the value `old` at that moment, or, where old is
 * kith_absent(), only if there is no such key: whoever reads, computes and then stores so can
 * be sure that nobody came between. key, old and value go to the hub together: where their
 * bytes add up to more than 65 MiB less 9 bytes, though each is within its own limit, it is
 * KITH_INVALID. KITH_OK, KITH_DIFFERS, or a failure. */
KITH_API enum kith_result kith_update_if(struct kith *k, struct kith_bytes key,
                                         struct kith_bytes old, struct kith_bytes value);

/* Sends a message, at most 64 MiB, and returns what comes back, as kith_get does: the same. */
KITH_API enum kith_result kith_echo(struct kith *k, struct kith_bytes message, char **ret_reply,
                                    size_t *ret_len);

/* From now on every change of a key that begins with prefix is kept for kith_next_change,
 * whoever makes it; an empty prefix is every key. May be called for several prefixes; where
 * they overlap, a change comes once. KITH_OK, or a failure. */
KITH_API enum kith_result kith_watch(struct kith *k, struct kith_bytes prefix);

enum kith_change_kind {
    KITH_SET = 0,
    KITH_DELETED = 1,
    KITH_EXPIRED = 2,
    KITH_FLUSHED = 3 /* all keys have been removed at once */
};

struct kith_change {
    enum kith_change_kind kind;
    struct kith_bytes key;   /* empty where kind is KITH_FLUSHED */
    struct kith_bytes value; /* of KITH_SET; else empty */
};

#define KITH_FOREVER (-1)

/* The next change, waited for at most timeout_ms milliseconds: 0 only takes one that is there,
 * KITH_FOREVER waits without end. KITH_OK, KITH_NOTHING, or a failure. Changes of one key come
 * in their order. *ret points to memory that holds until the next kith_next_change or
 * kith_close; a NUL follows key and value.
 *
 * No change is left out: who takes none until the hub or this library holds more than 32 MiB of
 * them finds the connection ended (KITH_LOST) when he has taken those that are here. Who opens
 * it again and watches again reads again what he wants to know. */
KITH_API enum kith_result kith_next_change(struct kith *k, int timeout_ms,
                                           struct kith_change *ret);

/* The descriptor to wait for with poll(2), for input, beside others; negative where there is no
 * connection. Changes may have arrived with the answer to another call: take changes with a
 * timeout of 0 until there is none, and only then wait. Do nothing else with it; it goes with
 * the connection. */
KITH_API int kith_fd(const struct kith *k);

/* ---- people ----
 *
 *     struct kith_message m;
 *     kith_accept(k, "all");
 *     if (kith_login(k) == KITH_OK && kith_receive(k, KITH_FOREVER, &m) == KITH_OK)
 *         kith_say(k, m.from, kith_text("I heard you."), 10000);
 *
 * Somebody with an account on the hub meets others there, and talks with them from device to
 * device, end-to-end encrypted. Accounts, and devices of them, are made by `kith register` and
 * `kith login`; what these leave in the profile is all that is used here. No password is.
 *
 * It takes a connection of its own to the hub of the handle, always over TLS, with the key of
 * the profile. Neither connection's end is the other's, and this one, once it was there, comes
 * back by itself; talks go on meanwhile. A failure is always one of that call, but where the
 * presence itself has ended: the hub shows another key, or does not know this device any more.
 * Every later call but kith_login then fails in the same way.
 *
 * All of it happens within these calls: nothing works on it between them. A program that is in
 * none for half a minute looks cut off to whom it talks with, until the next call; nothing is
 * lost by that. Who invites it is answered in the next call; a minute later he is not.
 *
 * Unlike the rest of the library this uses libuv: some descriptors a handle, and, to look up
 * names, threads that stay. They take no signals. */

/* Logs in as the account whose device this is, and is present until kith_close: others see
 * that, and may invite. Who has logged in before leaves, and comes anew. KITH_OK,
 * KITH_INVALID (the hub is a Unix socket), KITH_DENIED (the device is nobody's),
 * KITH_UNREACHABLE, KITH_FOREIGN, KITH_SILENT, KITH_CHANGED, KITH_FAILED, KITH_NO_MEMORY. */
KITH_API enum kith_result kith_login(struct kith *k);

/* The name of that account, empty before kith_login; holds until the next one, or kith_close.
 */
KITH_API const char *kith_name(const struct kith *k);

/* Who may talk with this one unasked: names with commas between, as "alice,bob", or "all";
 * NULL, as in the beginning, is nobody. Others are told that this one is busy. It is copied.
 * KITH_OK, KITH_INVALID (it is no such text), KITH_NO_MEMORY. */
KITH_API enum kith_result kith_accept(struct kith *k, const char *whom);

struct kith_person {
    const char *name;
    time_t since; /* when he came, by the hub's clock */
};

/* Who is present, oneself too, in the order of names. *ret points to *ret_count of them, which
 * hold until the next kith_people, kith_login or kith_close. KITH_OK, or a failure: KITH_LOST
 * where the hub has gone and is not back in timeout_ms of the options. */
KITH_API enum kith_result kith_people(struct kith *k, const struct kith_person **ret,
                                      size_t *ret_count);

/* Says a text, UTF-8 of 1 byte to 64 KiB, to somebody, and waits until it was shown there, at
 * most timeout_ms milliseconds or KITH_FOREVER. Where there is no talk with him he is invited
 * to one, which stays open; several programs of one account invite him one after the other.
 * What comes from others meanwhile is kept for kith_receive.
 *
 * KITH_OK: it was shown. KITH_ABSENT: it was not, since he is not here, does not answer, or has
 * left before; or nobody has that name. KITH_REFUSED: it was not, since he does not want to, or
 * is busy; kith_problem tells. KITH_NOTHING: not in that time, and an invitation is taken back;
 * but what went to him may be shown yet. KITH_CHANGED: he is on another device than before, and
 * kith_problem tells what to do. Else a failure.
 *
 * Two programs that say something to each other at once do not wait for each other: what has
 * come from him whom this one waits for counts as shown to him, before it is received here,
 * where his program is not receiving, either. (More than two, in a circle, do wait.) */
KITH_API enum kith_result kith_say(struct kith *k, const char *name, struct kith_bytes text,
                                   int timeout_ms);

/* Leaves a letter for somebody, UTF-8 of 1 to 65269 bytes, and waits until the hub has it, at
 * most timeout_ms milliseconds or KITH_FOREVER. It waits there a month at most, for each of his
 * devices, sealed so that the hub cannot read it; he need not be here, and is not asked.
 *
 * KITH_OK: it waits for him. KITH_REFUSED: it does not, since nobody is called that, or he has
 * no room; kith_problem tells. KITH_NOTHING: not known in that time, the hub may have it or
 * not. KITH_CHANGED: none of his devices is known as his, and kith_problem tells what to do.
 * Else a failure. */
KITH_API enum kith_result kith_leave_letter(struct kith *k, const char *name,
                                            struct kith_bytes text, int timeout_ms);

/* What kith_receive gives besides texts. */
enum kith_wish {
    KITH_LETTERS = 1, /* letters that wait for this device, and those that come */
    KITH_COMINGS = 2  /* who comes to the hub, and who leaves it */
};

/* From now on kith_receive gives these, too: one of enum kith_wish, or both with `|` between.
 * What was wanted before still is. It may be called before kith_login. KITH_OK, KITH_INVALID,
 * KITH_NO_MEMORY. */
KITH_API enum kith_result kith_want(struct kith *k, unsigned what);

enum kith_message_kind {
    KITH_TEXT = 0,   /* he says it */
    KITH_LETTER = 1, /* he has left it */
    KITH_CAME = 2,   /* he is here, and was not, as far as the program was told; no text */
    KITH_WENT = 3    /* he is not here any more; no text */
};

struct kith_message {
    const char *from;       /* the account's name */
    struct kith_bytes text; /* as he wrote it: for a terminal it is to be cleaned */

    /* Only for who has called kith_want; else they are left as they were. (Programs may have
     * been built before there were these, and have no room for them. What is added later will
     * be kept from who has not asked for it, too.) */
    enum kith_message_kind kind;
    time_t written; /* of KITH_LETTER: when, by its writer's clock; else 0 */
};

/* The next text that somebody says, waited for at most timeout_ms milliseconds: 0 only takes
 * one that is there, KITH_FOREVER waits without end; and with it what was asked for with
 * kith_want, in the order in which it came. Texts of one talk come in their order, and once; to
 * him each counts as shown when it is returned. KITH_OK, KITH_NOTHING, or a failure. *ret
 * points to memory that holds until the next kith_receive, kith_login or kith_close; a NUL
 * follows the text. Who takes none until 8 MiB of them wait finds the talk ended with whom says
 * more.
 *
 * A letter comes once, whichever programs of this device take letters, and however they end: it
 * counts as taken right before it is returned, and no sooner. Letters are given of those whom
 * kith_accept names. Others' are left for `kith letters`, and so are those from devices that
 * are not known as his; what is no letter of his is thrown away.
 *
 * Who is here when he logs in, or first wants to know, comes first; after that each comes and
 * goes in turn, but for oneself; a tenth of a second late, so that a text may come sooner. Who
 * has gone and come back while the hub was away, or while 8 MiB waited, has done neither. */
KITH_API enum kith_result kith_receive(struct kith *k, int timeout_ms,
                                       struct kith_message *ret);

/* Ends the talk with somebody: KITH_OK, KITH_MISSING (there is none), or a failure. */
KITH_API enum kith_result kith_end_talk(struct kith *k, const char *name);

/* The descriptor to wait for with poll(2), for input, beside others; negative where nobody has
 * logged in. Receive with a timeout of 0 until there is nothing, and only then wait; a second
 * at most, since some of it is a matter of time. Do nothing else with it. */
KITH_API int kith_people_fd(const struct kith *k);

/* ---- words ---- */

/* What went wrong in the last call that failed, a sentence for people, with the hub's own words
 * where it said any; printable, without a newline. Empty before there is one. Holds until the
 * next call. */
KITH_API const char *kith_problem(const struct kith *k);

/* What a result means in general, in words; static. Any number may be asked for. */
KITH_API const char *kith_error_text(int result);

/* Frees what kith_get and kith_echo returned. Takes NULL. */
KITH_API void kith_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
