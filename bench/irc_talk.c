/* irc_talk PORT COUNT: logs two in to an IRC server over TLS; one says COUNT texts of
 * TEXT_BYTES to the other with PRIVMSG, at most WINDOW ahead of what was heard: a server closes
 * who lets more wait. When the last is heard, a JSON object on a line says how many, and in how
 * many seconds. */

#include "dial.h"
#include "line.h"

#include "io/clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256, NS = 1000000000 };

static const char text[] = "PRIVMSG hearer :tttttttttttttttttttttttttttttttt\r\n";

static void move(struct line *lines)
{
    struct pollfd fds[2];
    for (size_t i = 0; i < 2; i++)
        fds[i] = (struct pollfd){.fd = lines[i].fd, .events = line_wants(&lines[i])};
    if (poll(fds, 2, -1) < 0)
        dial_fail("poll");
    for (size_t i = 0; i < 2; i++) {
        if (fds[i].revents)
            line_move(&lines[i]);
        if (lines[i].is_over) {
            errno = ECONNRESET;
            dial_fail("irc");
        }
    }
}

static void log_in(struct line *lines, size_t i, const char *words)
{
    struct line *l = &lines[i];
    while (!tls_is_open(l->tls))
        move(lines);
    line_say(l, bytes_from_str(words));
    for (bool is_in = false; !is_in;) {
        move(lines);
        struct bytes heard = buffer_view(&l->plain);
        is_in = heard.len > 0 &&
                memmem(heard.data, heard.len, " 376 ", 5); /* the end of its news */
        is_in =
            is_in || (heard.len > 0 && memmem(heard.data, heard.len, " 422 ", 5)); /* of none */
    }
    buffer_release(&l->plain);
}

/* Lines among what was heard, which is taken. */
static uint64_t count_lines(struct line *l)
{
    uint64_t n = 0;
    struct bytes heard = buffer_view(&l->plain);
    for (size_t i = 0; i < heard.len; i++)
        n += heard.data[i] == '\n';
    buffer_truncate(&l->plain, 0);
    return n;
}

static void say_some(struct line *l, uint64_t n)
{
    char texts[WINDOW * sizeof text], *to = texts;
    for (uint64_t i = 0; i < n; i++, to += sizeof text - 1)
        memcpy(to, text, sizeof text - 1);
    line_say(l, bytes_make(texts, (size_t)(to - texts)));
}

int main(int argc, char **argv)
{
    static const char *const none[] = {NULL};
    struct line lines[2] = {{0}};
    uint64_t said = 0, heard = 0;
    if (argc != 3 || sodium_init() < 0)
        dial_fail("irc_talk PORT COUNT");
    uint64_t count = dial_number(argv[2], 1);
    struct tls_config *config = line_config(TLS_CLIENT, LINE_NOBODY, none);
    for (size_t i = 0; i < 2; i++)
        line_dial(&lines[i], (uint16_t)dial_number(argv[1], 1), config);
    log_in(lines, 0, "NICK sayer\r\nUSER s 0 * :s\r\n");
    log_in(lines, 1, "NICK hearer\r\nUSER h 0 * :h\r\n");
    struct instant start = clock_instant();
    while (heard < count) {
        uint64_t n =
            count - said < WINDOW - (said - heard) ? count - said : WINDOW - (said - heard);
        if (n > 0) {
            say_some(&lines[0], n);
            said += n;
            line_send(&lines[0]);
        }
        move(lines);
        heard += count_lines(&lines[1]);
    }
    printf("{\"count\": %llu, \"seconds\": %.6f}\n", (unsigned long long)heard,
           (double)(clock_instant().ns - start.ns) / NS);
    return 0;
}
