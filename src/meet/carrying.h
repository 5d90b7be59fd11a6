#ifndef KITH_MEET_CARRYING_H
#define KITH_MEET_CARRYING_H

/* What a carrier (meet/carrier.h) does: one thing, for one attempt. Its order is messages of
 * fields (wire/field.h) on its standard input, of which the first is one of these numbers; what
 * it has to say goes back there. Nobody else speaks to it but the other side's carrier, which
 * is not trusted: who receives is confined (io/confinement.h) to the folder it receives into,
 * before a byte is read from there. */

enum carrying_order {
    /* What to do; the first: */
    CARRYING_LIST = 1, /* look through what is to be sent: PATHs, LIST_FILE */
    CARRYING_SEND,     /* id, secret, whether SHA-256 is wanted: LIST_FILE; or SPOOL, INPUT */
    CARRYING_RECEIVE,  /* id, secret, whether SHA-256 is wanted, into, enum inbox_rule, cap,
                          entries, bytes */
    CARRYING_CLEAR,    /* id, into: of what was received nothing is kept */
    /* With what: */
    CARRYING_PATH,       /* path */
    CARRYING_KEYS,       /* device, inode of a folder that is not listed: struct
                            outbox_files_keys */
    CARRYING_AS,         /* what is read from INPUT is called so */
    CARRYING_LIST_FILE,  /* a descriptor: io/outbox_files.h's */
    CARRYING_SPOOL,      /* a descriptor */
    CARRYING_INPUT,      /* a descriptor */
    CARRYING_CONNECTION, /* a descriptor; whether this side counts as the one that dialed */
    CARRYING_DIAL,       /* address, 16 bytes; port; token: no connection yet */
    CARRYING_GO          /* the last */
};

/* The whole program; an exit code. */
int carrying_run(void);

#endif
