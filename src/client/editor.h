#ifndef KITH_CLIENT_EDITOR_H
#define KITH_CLIENT_EDITOR_H

/* The line somebody is typing: keys change it, painter.h shows it. Its text is clean UTF-8 of
 * at most LIMIT_TYPED_BYTES, with "\n" and "\t" where those were pasted; the cursor stands
 * before a character and behind all marks of the one before.
 *
 * A secret line is kept out of the history, and wiped when it is taken. */

#include "base/buffer.h"
#include "client/history.h"
#include "client/keys.h"

enum editor_result {
    EDITOR_CHANGED,
    EDITOR_SAME,
    EDITOR_ENTERED,     /* the line is whole: read text, then editor_clear */
    EDITOR_COMPLETE,    /* the word before the cursor is to be completed */
    EDITOR_CLEAR,       /* the screen is to be cleared */
    EDITOR_INTERRUPTED, /* Ctrl+C */
    EDITOR_CLOSED,      /* Ctrl+D on an empty line */
    EDITOR_SUSPENDED,   /* Ctrl+Z */
    EDITOR_FULL,        /* no room for it: the first of some */
    EDITOR_TOO_LONG,    /* Enter, but some of the line found no room: editor_drop */
};

struct editor {
    struct buffer text;
    size_t cursor;        /* offset in text */
    struct buffer killed; /* what was last killed, to be yanked */
    struct history history;
    size_t recalled;     /* 0: the line is new; n: history_line n - 1 is shown */
    struct buffer draft; /* the new line, while another is shown */
    bool secret;
    bool overflowed; /* some of the line found no room */
};

void editor_init(struct editor *e);
void editor_fini(struct editor *e);

enum editor_result editor_key(struct editor *e, const struct key *key);

/* An empty line again, the next one; the last goes into the history unless it was secret. */
void editor_clear(struct editor *e);

/* An empty line again: the last was not entered. */
void editor_drop(struct editor *e);

/* What is typed from now on is secret, or no more; the line is emptied. */
void editor_set_secret(struct editor *e, bool secret);

/* Puts text in place of the n bytes before the cursor, as completion does. BUFFER_FULL,
 * -ENOMEM. */
int editor_replace(struct editor *e, size_t n, struct bytes text);

static inline struct bytes editor_text(const struct editor *e)
{
    return buffer_view(&e->text);
}

#endif
