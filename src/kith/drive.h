#ifndef KITH_KITH_DRIVE_H
#define KITH_KITH_DRIVE_H

/* The driver: plays a story on a hub with a process for each client (kith/actor.h), prints
 * what happens as it happens, and checks every answer.
 *
 * A meeting point is real: every request of it is sent but for its ending, and reported, by
 * all who take part; only then do all send their endings. Each was thus under way before any
 * was answered, and the times that the clients report are checked to say so. */

#include "base/time.h"
#include "client/story.h"
#include "io/process.h"
#include "kith/session.h"

enum { DRIVE_WAIT_MS = 10000 }; /* for one answer; past it, something hangs */

struct part {
    struct process process;
    char name[STORY_NAME_BYTES_MAX + 1];
    bool ready;                     /* it is on the hub */
    struct instant begun, answered; /* of its last request */
};

struct drive {
    struct session *session;
    const struct story *story;
    struct process_set *set;
    bool may_stop_hub; /* else requests that would are left out; the hub was there before us */
    struct part parts[STORY_CLIENTS_MAX];

    size_t answers;       /* how many came */
    size_t wrong;         /* how many of them were */
    bool hub_stopped;     /* a request that stops the hub was answered */
    struct buffer faults; /* a line for each that was wrong */
};

void drive_init(struct drive *d, struct session *s, const struct story *story,
                struct process_set *set, bool may_stop_hub);

/* Tells the clients that it is over. They end when they have the answer they wait for; those
 * that are not even on the hub, at once. */
void drive_dismiss(struct drive *d);

/* Dismisses them, and after a moment ends those that still run. */
void drive_fini(struct drive *d);

/* Starts the clients on the hub at where, logs in the folder. Returns an exit code, as all
 * that follow. */
int drive_start(struct drive *d, const char *where, const char *logs);

/* Plays. Wrong answers are counted, and the story goes on; a client or a hub that fails ends
 * it. */
int drive_play(struct drive *d);

/* Dismisses the clients and waits for their end. */
int drive_end(struct drive *d);

/* The path of a client's log, or of the hub's ("hub"); -ENAMETOOLONG. */
int drive_log_path(const char *logs, const char *name, char *out, size_t size);

/* A line of the transcript: words, then text, which is cleaned. EXIT_NO, and nothing is said
 * about it, where it cannot be written or the driver is interrupted. */
int drive_say(struct drive *d, const char *words, struct bytes text);

#endif
