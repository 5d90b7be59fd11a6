#ifndef KITH_CLIENT_SAID_H
#define KITH_CLIENT_SAID_H

/* Something that two people have said, as a line of JSON in what one of them keeps of it:
 *
 *     {"when_ms":1795280095770,"from":"bob","to":"alice","text":"hi","letter":true}
 *
 * when_ms is when it was written, where it is a letter, else when it was said or shown here;
 * letter and undelivered are there where they are true. Text is as it was said: to be cleaned
 * before it reaches a terminal. */

#include "base/buffer.h"
#include "base/time.h"

struct said {
    struct walltime when;
    struct bytes from, to; /* names of accounts */
    struct bytes text;
    bool letter;
    bool undelivered; /* it was said before, and has not arrived */
};

/* What buffer_append returns. */
int said_write(struct buffer *out, const struct said *s);

/* Who read the line last; said_reader_free takes NULL. */
struct said_reader;
int said_reader_new(struct said_reader **ret); /* -ENOMEM */
void said_reader_free(struct said_reader *r);

/* False where the line, without its end, is none: half of one, for instance, as a crash leaves
 * it. What is read holds until the next call. */
bool said_read(struct said_reader *r, struct bytes line, struct said *ret);

#endif
