#ifndef KITH_TESTS_SIM_REQUEST_H
#define KITH_TESTS_SIM_REQUEST_H

/* What a client asks: made up by seed, written as bytes for its door. Keys are numbers, values
 * a tag and a length, so that a request is small and every value written is unlike the others.
 */

#include "base/buffer.h"
#include "base/time.h"
#include "wire/line.h"

enum {
    REQUEST_KEYS = 24,
    REQUEST_CHANNELS = 3,
    REQUEST_KEYS_MAX = 4,
    REQUEST_VALUE_BYTES_MAX = 16384
};

enum verb {
    VERB_ECHO,
    VERB_STORE,
    VERB_GET,
    VERB_NAME,    /* sets the hub's name */
    VERB_STOP,    /* QUIT of the text door, SHUTDOWN of RESP */
    VERB_FULL,    /* REPLIES full; text only, as are these: */
    VERB_TERSE,   /* REPLIES terse */
    VERB_NOSTORE, /* a STORE without '=' */
    VERB_NOGET,   /* a GET of two words */
    VERB_HTTP,    /* closes the connection */
    VERB_FOLLOW,  /* WATCH in text, FOLLOW in RESP; keys[0]: a key and 1, or 0 for all */
    VERB_UNFOLLOW,
    VERB_SUBSCRIBE, /* RESP, like the next; keys[0]: a channel */
    VERB_PUBLISH,   /* values[0] there */
    VERB_SET,       /* RESP only, as is the rest */
    VERB_DEL,
    VERB_EXISTS,
    VERB_MGET,
    VERB_MSET,
    VERB_MSETNX,
    VERB_GETDEL,
    VERB_RENAME, /* where number is odd, RENAMENX */
    VERB_COPY,   /* where number is odd, REPLACE */
    VERB_ADD,    /* INCR, DECR, INCRBY or DECRBY */
    VERB_APPEND,
    VERB_STRLEN,
    VERB_DBSIZE,
    VERB_EXPIRE, /* EXPIRE, PEXPIRE or PEXPIREAT */
    VERB_TTL,    /* PTTL or PEXPIRETIME */
    VERB_PERSIST,
    VERB_GETEX,
    VERB_MULTI,
    VERB_EXEC,
    VERB_DISCARD,
    VERB_WATCH, /* one key */
    VERB_UNWATCH,
    VERB_SAVE,  /* BGSAVE */
    VERB_FLUSH, /* FLUSHDB or FLUSHALL */
    VERB_TELL_NAME,
    VERB_PING,
    VERB_HELLO,
    VERB_ID,
    VERB_NOTHING,  /* an empty array: no answer */
    VERB_UNKNOWN,  /* no such command */
    VERB_ARITY,    /* GET without a key */
    VERB_CLOSE,    /* QUIT of RESP: this connection */
    VERB_NONSENSE, /* not the protocol */
};

enum value_kind { VALUE_NUMBER, VALUE_WORDS, VALUE_BINARY };

struct value {
    enum value_kind kind;
    uint32_t tag, len; /* len is not a number's */
};

/* On what condition SET sets, and when what it sets ends. */
enum request_when { WHEN_ANY, WHEN_ABSENT, WHEN_PRESENT };
enum request_term {
    TERM_NONE,
    TERM_KEEP,  /* KEEPTTL */
    TERM_NEVER, /* PERSIST */
    TERM_SECONDS,
    TERM_MILLIS,
    TERM_AT, /* milliseconds since 1970 */
};

struct request {
    enum verb verb;
    enum line_ending ending; /* of a text message */
    unsigned keys[REQUEST_KEYS_MAX];
    size_t n; /* keys */
    struct value values[REQUEST_KEYS_MAX];
    int64_t number; /* ADD: what; HELLO: the version, 0: none given */
    enum request_when when;
    enum request_term term;
    int64_t time;             /* of the term */
    uint64_t end;             /* where it ends in all its client sends */
    struct instant delivered; /* when the hub had all of it; 0: not yet */
};

/* What the seed may choose from. */
struct request_taste {
    bool resp;
    bool follows;             /* wants to be told; nothing that is not logged or MULTI then */
    bool gathers;             /* has asked MULTI, and neither EXEC nor DISCARD since */
    bool loud;                /* echoes, as long as may be */
    unsigned stops_per_mille; /* how often VERB_STOP */
    uint32_t value_bytes_max;
    uint32_t *tags; /* of the last value */
    int64_t now;    /* about the hub's clock, in ms */
};

void request_make(struct request *r, const struct request_taste *taste, uint64_t *seed);

/* Appends the bytes that ask it. */
void request_write(const struct request *r, bool resp, struct buffer *out);

/* Does the hub log it, once it was run? */
bool request_is_logged(const struct request *r);

/* Does it read or change keys of the users' table, or count them? */
bool request_is_about_table(const struct request *r);

/* May it be one of a transaction's? And what it is called in its bytes. */
bool request_may_queue(const struct request *r);
const char *request_word(const struct request *r);

const char *request_name(const struct request *r);

void value_write(const struct value *v, struct buffer *out);

/* Can text carry it? */
bool value_is_text(struct bytes value);

/* Keys and values as bytes; the caller's buffer holds a key. */
struct bytes request_key(unsigned key, char out[8]);
struct bytes request_channel(unsigned channel, char out[8]);

/* Appending to a test's buffer does not fail. */
void put(struct buffer *out, struct bytes data);
void put_str(struct buffer *out, const char *s);
void put_bulk(struct buffer *out, struct bytes data);

#endif
