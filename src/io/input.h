#ifndef KITH_IO_INPUT_H
#define KITH_IO_INPUT_H

/* Standard input on a libuv loop, whatever it is: a terminal, a pipe, a socket, or a file,
 * which is read by a thread of the loop's. A terminal can be taken out of its line mode, so
 * that every key comes as it is pressed; who opens an input closes it, also to put that back.
 *
 * The owner embeds it and leaves it alone until handler.closed. */

#include "base/bytes.h"

#include <termios.h>
#include <uv.h>

struct input;

struct input_handler {
    void (*read)(struct input *i, struct bytes in);
    void (*end)(struct input *i); /* its end, or an error, which is the same to us */
    void (*closed)(struct input *i);
};

struct input {
    const struct input_handler *handler;
    uv_loop_t *loop;
    uv_poll_t poll; /* of all but files */
    uv_fs_t file;   /* a read of one */
    bool is_file;
    bool polled;  /* poll is open */
    bool waiting; /* a read of the file is under way */
    bool reading, closing, over;
    bool terminal, raw;
    struct termios before; /* of the terminal */
    uint8_t in[16 * 1024];
};

/* -errno; closed does not follow then. Nothing is read yet. */
int input_open(struct input *i, uv_loop_t *loop, const struct input_handler *handler);

/* Both take effect before anything else is handed out. */
void input_set_reading(struct input *i, bool reading);

/* Of a terminal: every key, unechoed, none of them a signal; and back. Nothing elsewhere. */
void input_set_raw(struct input *i, bool raw);

void input_close(struct input *i);

#endif
