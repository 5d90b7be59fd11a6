#ifndef KITH_MEET_TROUBLE_H
#define KITH_MEET_TROUBLE_H

/* What went wrong with a hub or a person, as a value: of which sort it is, and in words, a
 * sentence without a period. They may hold what a hub said: whoever shows them cleans them. */

enum trouble_kind {
    TROUBLE_NONE = 0,
    TROUBLE_FAILED,      /* it could not be done */
    TROUBLE_UNREACHABLE, /* there is no hub there, or it went away */
    TROUBLE_FOREIGN,     /* what answers there is no hub */
    TROUBLE_DENIED,      /* the hub does not allow it */
    TROUBLE_CHANGED,     /* the other end is not who it was */
};

enum { TROUBLE_BYTES = 700 };

struct trouble {
    enum trouble_kind kind;
    char words[TROUBLE_BYTES];
};

/* Both return the kind. */
enum trouble_kind trouble_set(struct trouble *t, enum trouble_kind kind, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));
enum trouble_kind trouble_no_memory(struct trouble *t);

#endif
