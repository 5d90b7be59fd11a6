#ifndef KITH_CLIENT_KEYS_H
#define KITH_CLIENT_KEYS_H

/* What a person does at a terminal: the bytes it sends, read as keys.
 *
 * Characters come as UTF-8, whole, however they were cut; bytes that are not UTF-8 are passed
 * over, and so are characters that a terminal must not be shown (base/clean.h). Sequences are
 * those of ECMA-48 as xterm and all after it send them. What is pasted, between ESC [200~ and
 * ESC [201~, is all text: its line ends are KEY_TEXT of "\n", and nothing in it is a command.
 *
 * Zeroed, struct keys is ready. */

#include "base/bytes.h"

enum key_kind {
    KEY_TEXT, /* one character; "\n" and "\t" only where they were pasted */
    KEY_ENTER,
    KEY_TAB,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_KILL_LINE,       /* Ctrl+U: all before the cursor */
    KEY_KILL_REST,       /* Ctrl+K */
    KEY_KILL_WORD,       /* Ctrl+W: the word before */
    KEY_KILL_WORD_AHEAD, /* Alt+D */
    KEY_YANK,            /* Ctrl+Y */
    KEY_CLEAR,           /* Ctrl+L */
    KEY_INTERRUPT,       /* Ctrl+C */
    KEY_CLOSE,           /* Ctrl+D */
    KEY_SUSPEND,         /* Ctrl+Z */
    KEY_NONE,            /* a key that means nothing here */
};

struct key {
    enum key_kind kind;
    uint8_t text[4]; /* of TEXT */
    uint8_t len;
};

enum { KEYS_HELD_BYTES = 16 };

struct keys {
    uint8_t held[KEYS_HELD_BYTES]; /* the beginning of a character or a sequence */
    uint8_t count;
    bool skipping;  /* within a sequence that is too long to be one of ours */
    bool pasting;   /* between the marks of a paste */
    bool pasted_cr; /* the last thing pasted was CR: a LF behind it is the same line end */
};

/* Takes bytes from the front of *in until a key is whole; false where more are needed, *in then
 * being empty. */
bool keys_next(struct keys *k, struct bytes *in, struct key *ret);

#endif
