#ifndef KITH_KITH_SECRET_H
#define KITH_KITH_SECRET_H

/* Passwords and tokens: from --password-file or --password-fd, a line each, else typed without
 * being shown. Never from the command line, which everybody on the machine can read. */

#include "kith/session.h"

enum { SECRET_BYTES = 1024 };

struct secrets {
    int fd;    /* where lines are read; -1: they are typed */
    bool owns; /* the descriptor is to be closed */
};

/* What the options say, or what `file` names where it is not NULL. */
int secrets_open(struct secrets *from, struct session *s, const char *file);
void secrets_close(struct secrets *from);

/* The next one, into out, which secret_wipe empties. missing: said where nobody is there to be
 * asked. */
int secret_take(struct secrets *from, struct session *s, const char *prompt,
                const char *missing, struct buffer *out);

/* A new password: whoever types it does so twice. */
int secret_choose(struct secrets *from, struct session *s, struct buffer *out);

void secret_wipe(struct buffer *secret);

#endif
