#ifndef KITH_KITH_CONSOLE_H
#define KITH_KITH_CONSOLE_H

/* Where a person and kith meet: lines come in, lines go out.
 *
 * At a terminal, which standard input and output both are, the line that is being typed stands
 * at the bottom and is edited; what is said meanwhile appears above it. Elsewhere lines are
 * read as they are, nothing is prompted for, and what kith says for people alone goes to
 * standard error. The owner embeds it. */

#include "client/editor.h"
#include "client/painter.h"
#include "client/visit.h"
#include "io/input.h"
#include "kith/output.h"
#include "wire/line.h"

struct console;

struct console_handler {
    /* May a line be handed out now? console_pump says that this may have changed. */
    bool (*takes_lines)(struct console *c);
    void (*line)(struct console *c, struct bytes line, bool more); /* more: came with it */
    void (*no_room)(struct console *c);  /* what was typed was too long: none of it is a line */
    void (*too_long)(struct console *c); /* a line was, and is lost with all behind it */
    void (*interrupted)(struct console *c, bool again); /* again: right after another */
    void (*over)(struct console *c);                    /* no more lines will come */
    /* The word before the cursor is to be completed; before: the line up to there. */
    void (*complete)(struct console *c, struct bytes before);
    void (*broken)(struct console *c); /* nobody reads what is said */
};

struct console {
    const struct console_handler *handler;
    struct output *output;
    struct input input;
    bool input_open;
    bool terminal;
    bool color;
    bool interrupted;            /* by the last key */
    bool over;                   /* the input has ended ... */
    bool said;                   /* ... and handler.over knows */
    bool more;                   /* keys came with the one at work */
    bool dirty;                  /* the line has to be shown anew */
    uv_prepare_t before_waiting; /* what was said in a turn is written at its end */
    uv_signal_t resized, continued;
    struct keys keys;
    struct editor editor;
    struct painter painter;
    struct buffer prompt; /* empty: nothing is asked for, and no line is shown */
    struct buffer in;     /* no terminal: bytes that are no line yet; else lines entered */
    struct line line;
    struct buffer out; /* for standard output */
};

/* -errno. console_close is for what was opened. */
int console_open(struct console *c, uv_loop_t *loop, struct output *output,
                 const struct console_handler *handler);

/* Puts the terminal back; then the loop has to run until all is closed. */
void console_close(struct console *c);
void console_fini(struct console *c);

/* One line, clean. */
void console_say(struct console *c, enum visit_tone tone, struct bytes line);

void console_prompt(struct console *c, struct bytes text, bool secret);

/* Puts text in place of the n bytes before the cursor. */
void console_replace(struct console *c, size_t n, struct bytes text);

/* Takes the line away until the turn ends: somebody else is about to write. */
void console_hide(struct console *c);

/* Hands out what lines may be handed out now. */
void console_pump(struct console *c);

/* Writes what was said. */
void console_flush(struct console *c);

#endif
