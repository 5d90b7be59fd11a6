#ifndef KITH_TESTS_VISITSIM_MAIL_H
#define KITH_TESTS_VISITSIM_MAIL_H

/* What is known of a letter, and what may become of it: it is for each device of an account
 * that its sender believes, which shows it once, in whichever order and whatever crashed, where
 * it believes the sender; what its sender was told is so. */

#include "base/bytes.h"
#include "base/random_id.h"

#include <stdbool.h>

struct world;

enum { MAIL_MAX = 64 };

/* What a letter says that the hub has made. */
#define MAIL_FORGED "forged"

struct mail {
    size_t from, to;                 /* device, account */
    char id[RANDOM_ID_TEXT_LEN + 1]; /* empty: no copy has left */
    unsigned must;                   /* devices that get a copy if any do, a bit each */
    unsigned kept;                   /* whose copy the hub says it keeps */
    unsigned shown;
};

/* Somebody writes to an account: the text, which ends in a NUL; false where the world has seen
 * enough letters. */
enum { MAIL_TEXT_BYTES = 32 };
bool mail_write(struct world *w, size_t from, size_t account, char text[MAIL_TEXT_BYTES]);

/* LETTER is asked; argv as the hub gets it. Which letter, for which device; then that the hub
 * says it keeps that copy. */
struct mail_copy {
    size_t letter, device;
};
struct mail_copy mail_asked(struct world *w, size_t device, const struct bytes *argv);
void mail_kept(struct world *w, struct mail_copy copy);

/* Its writer is told that the hub has it; he no longer believes what he did of an account. */
void mail_told(struct world *w, size_t device, struct bytes text);
void mail_unsure(struct world *w, size_t device, size_t account);

/* A line is shown during a visit, perhaps of a letter. */
void mail_shown(struct world *w, size_t device, struct bytes line);

/* All are here, and have asked for letters. */
void mail_check_arrived(struct world *w);

#endif
