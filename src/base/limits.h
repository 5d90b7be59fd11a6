#ifndef KITH_BASE_LIMITS_H
#define KITH_BASE_LIMITS_H

/* Every limit of kith, in one place. Bytes, milliseconds, counts: the unit ends the name.
 * Past a limit there is a clear error; the connection is closed only where the rest of its
 * input cannot be understood any more. */

#define LIMIT_KIB ((size_t)1024)
#define LIMIT_MIB (LIMIT_KIB * 1024)

/* The table. */
#define LIMIT_KEY_BYTES (64 * LIMIT_KIB)
#define LIMIT_VALUE_BYTES (64 * LIMIT_MIB)
#define LIMIT_RECORD_BYTES (256 * LIMIT_MIB) /* one mutation, all its keys and values */
#define LIMIT_NAME_BYTES ((size_t)64)        /* the hub's name, a connection's name */

/* A connection's input. */
#define LIMIT_TEXT_LINE_BYTES LIMIT_MIB
#define LIMIT_GUEST_MESSAGE_BYTES (4 * LIMIT_KIB) /* where only echo is allowed */
#define LIMIT_BARE_MESSAGE_BYTES (4 * LIMIT_KIB)  /* ended by silence */
#define LIMIT_RESP_INLINE_BYTES (64 * LIMIT_KIB)
#define LIMIT_RESP_ARGS ((size_t)64 * 1024)
#define LIMIT_RESP_COMMAND_BYTES (65 * LIMIT_MIB) /* all arguments of one command */
#define LIMIT_INPUT_BYTES (96 * LIMIT_MIB)        /* of one command, its framing included */

/* A connection's output. */
#define LIMIT_UNREAD_REPLY_BYTES LIMIT_MIB   /* past it, no further command runs */
#define LIMIT_REPLY_BYTES (512 * LIMIT_MIB)  /* ceiling of one connection's output buffer */
#define LIMIT_HELD_REPLIES ((size_t)1024)    /* replies waiting, each for a moment of its own */
#define LIMIT_HELD_INPUT_BYTES LIMIT_MIB     /* of commands whose replies are held */
#define LIMIT_STALL_MS ((uint64_t)60 * 1000) /* without progress while replies wait */

/* A hub's reply, as kith and libkith take it. */
#define LIMIT_REPLY_VALUES ((size_t)1024 * 1024) /* in it, one within the other or not */

/* A connection's transaction (hub/transaction.h). */
#define LIMIT_TRANSACTION_BYTES (64 * LIMIT_MIB)     /* of all its commands and watched keys */
#define LIMIT_TRANSACTION_MADE_BYTES (4 * LIMIT_MIB) /* of values it makes of others */
#define LIMIT_TRANSACTION_COMMANDS ((size_t)1024 * 1024)
#define LIMIT_WATCHED_KEYS ((size_t)64 * 1024)

/* Values of more than this are handed on by reference, not copied (hub/inbox.h). */
#define LIMIT_LARGE_BYTES (64 * LIMIT_KIB)

/* Pushes (hub/exchange.h). */
#define LIMIT_CONNECTION_SUBSCRIPTIONS ((size_t)1024)
#define LIMIT_SUBSCRIPTIONS ((size_t)64 * 1024) /* of all connections */
#define LIMIT_MAILBOX_BYTES (128 * LIMIT_MIB)   /* of pushes wait for a worker: no more come */
#define LIMIT_UNREAD_TEXT_BYTES (8 * LIMIT_MIB) /* people's, past it, a talk ends */
/* So much waits already when a subscriber is to be told more: it is closed. */
#define LIMIT_UNREAD_PUSH_BYTES (32 * LIMIT_MIB)

/* A worker: what one connection may make it do before others have their turn. */
#define LIMIT_READ_BYTES (16 * LIMIT_KIB)       /* taken from a socket at once ... */
#define LIMIT_LARGE_READ_BYTES (64 * LIMIT_KIB) /* ... of a large value, at once */
#define LIMIT_TURN_BYTES (32 * LIMIT_KIB) /* run and answered; what is begun, is finished */
#define LIMIT_TURN_OUTPUT_BYTES (64 * LIMIT_KIB) /* written to its socket */

/* A long reply is made in pieces, a turn each (hub/reading.h, hub/walk.h). */
#define LIMIT_PIECE_BYTES (4 * LIMIT_MIB) /* values by reference do not count */
#define LIMIT_PIECE_KEYS ((size_t)8 * 1024)

/* A worker, else. */
#define LIMIT_LOG_BUFFER_BYTES LIMIT_MIB     /* log lines not yet written */
#define LIMIT_DESCRIPTORS_SPARE ((size_t)64) /* kept free for files when accepting */

/* TLS (hub/secure.h, io/secret_stream.h). */
#define LIMIT_HANDSHAKE_MS ((uint64_t)10 * 1000)
#define LIMIT_HANDSHAKES ((size_t)512)            /* under way at once, on all workers ... */
#define LIMIT_HANDSHAKES_OF_ADDRESS ((size_t)128) /* ... and from one address */
#define LIMIT_HANDSHAKES_LOG_MS ((uint64_t)1000)  /* a log line about both at most so often */
#define LIMIT_TLS_OUT_BYTES (256 * LIMIT_KIB)     /* encrypted, not left; replies wait plain */
#define LIMIT_TLS_PLAIN_BYTES (2 * LIMIT_READ_BYTES + 64 * LIMIT_KIB) /* decrypted at once */

/* Two people's devices (docs/peer-protocol.md). */
#define LIMIT_PEER_FRAME_BYTES LIMIT_MIB               /* a frame's payload */
#define LIMIT_PEER_PROOF_BYTES ((size_t)64)            /* the same, before the proof */
#define LIMIT_PEER_MESSAGE_BYTES (64 * LIMIT_KIB + 64) /* a message of a session */
#define LIMIT_PEER_PATHS ((size_t)8)                   /* connections of a session at once */
#define LIMIT_PEER_UNACKED_BYTES (4 * LIMIT_MIB)       /* a channel's, not acknowledged ... */
#define LIMIT_PEER_UNACKED_MESSAGES ((size_t)4096)     /* ... and how many */
#define LIMIT_PEER_TALK_AHEAD_BYTES (256 * LIMIT_KIB)  /* written, not sent */
#define LIMIT_PEER_BULK_AHEAD_BYTES (64 * LIMIT_KIB)   /* the same: talk waits for no more */
#define LIMIT_PEER_PROOF_MS \
    ((uint64_t)10 * 1000) /* for the proof, for an answer to a nomination */
#define LIMIT_PEER_CHOICE_MS ((uint64_t)4 * 1000)   /* ... where there is another path */
#define LIMIT_PEER_PING_MS ((uint64_t)15 * 1000)    /* of silence, then a ping */
#define LIMIT_PEER_SILENCE_MS ((uint64_t)40 * 1000) /* then a connection is dead */
#define LIMIT_PEER_WAITING_PING_MS                                                        \
    ((uint64_t)3 * 1000)                            /* the same two, where something said \
                                                     */
#define LIMIT_PEER_WAITING_MS ((uint64_t)10 * 1000) /* ... was not acknowledged yet */
#define LIMIT_PEER_SPARE_MS ((uint64_t)5 * 1000)   /* a connection that is not needed is kept */
#define LIMIT_PEER_SETTLED_MS ((uint64_t)2 * 1000) /* before one as good takes its place */
#define LIMIT_PEER_CLOSE_MS ((uint64_t)10 * 1000)  /* for the other side to agree to an end */
/* Both ways, then a new connection; of a data connection, each way, then a new key. */
#define LIMIT_PEER_RENEW_BYTES ((uint64_t)64 << 30)
#define LIMIT_DIAL_STAGGER_MS ((uint64_t)250) /* from one candidate to the next */
#define LIMIT_DIAL_AT_ONCE ((size_t)3)
#define LIMIT_DIAL_ATTEMPT_MS ((uint64_t)2000)
#define LIMIT_DIAL_RELAY_MS ((uint64_t)2500)  /* without a direct path, then the relay */
#define LIMIT_DIAL_LATE_ROUNDS 8u             /* for a direct path, over the relay */
#define LIMIT_DIAL_CALLED_MS ((uint64_t)1000) /* from one time at the relay to the next */
#define LIMIT_DIAL_SURVEY_RELAY_MS ((uint64_t)5 * 1000) /* kith doctor waits there so long */
#define LIMIT_DIAL_BACKOFF_MIN_MS ((uint64_t)1000)
#define LIMIT_DIAL_BACKOFF_MAX_MS ((uint64_t)60 * 1000)
#define LIMIT_DIAL_LASTED_MS ((uint64_t)10 * 1000)    /* a path of less was none to rely on */
#define LIMIT_TALK_CONNECT_MS ((uint64_t)15 * 1000)   /* for the first connection ... */
#define LIMIT_TALK_LOST_MS ((uint64_t)10 * 60 * 1000) /* ... and for another one, later */
#define LIMIT_TALK_SUCCEEDED_MS ((uint64_t)20 * 1000) /* ... to a device begun anew */
#define LIMIT_LOOK_AROUND_MS ((uint64_t)2 * 1000)     /* has this device another address? */
#define LIMIT_TALK_LEAVE_MS ((uint64_t)2 * 1000) /* what was said still arrives, at the end */
#define LIMIT_SAY_AGAIN_MS ((uint64_t)200)       /* until who was busy is asked anew ... */
#define LIMIT_SAY_LATE_MS ((uint64_t)5 * 1000)   /* ... and for a hub that is late */
#define LIMIT_MEETING_AGAIN_MS ((uint64_t)2 * 1000) /* until who is not here is asked anew */
#define LIMIT_WORDS_MS ((uint64_t)30 * 1000)        /* then words to compare are late */
#define LIMIT_PEER_HANDSHAKES ((size_t)16)     /* of who has connected, under way at once */
#define LIMIT_TALKS ((size_t)64)               /* links of one kith's talks, at once ... */
#define LIMIT_TALKS_WITH_ONE ((size_t)8)       /* ... and with one name */
#define LIMIT_TALK_TEXT_BYTES (64 * LIMIT_KIB) /* said at once */

/* Transfers (peer/receiving.h, peer/sending.h). */
#define LIMIT_TRANSFER_DEPTH 64u                     /* folders in one another */
#define LIMIT_TRANSFER_PATH_BYTES (4 * LIMIT_KIB)    /* from the top of what is sent */
#define LIMIT_TRANSFER_ENTRY_BYTES ((uint64_t)1024)  /* what an entry counts, beside content */
#define LIMIT_TRANSFER_NUMBERED 9999u                /* "a (2).txt" and so on, of one name */
#define LIMIT_TRANSFER_SETTLE_MS 20u                 /* of a file that was changed just now */
#define LIMIT_TRANSFER_FREE_ENTRIES ((uint64_t)1024) /* ... that count nothing */
#define LIMIT_TRANSFER_AGAIN 5u           /* one chunk, one changing file, is tried */
#define LIMIT_TRANSFER_LATE ((size_t)256) /* files dropped after they were whole */
#define LIMIT_TRANSFER_UNKEPT_BYTES (64 * LIMIT_MIB)        /* taken, not on the disk yet ... */
#define LIMIT_TRANSFER_SYNC_MS ((uint64_t)1000)             /* ... and for how long */
#define LIMIT_TRANSFERS ((size_t)64)                        /* of one kith, at once */
#define LIMIT_TRANSFERS_FROM_ONE ((size_t)16)               /* ... of them, from one person */
#define LIMIT_TRANSFER_RECORDS ((size_t)1024)               /* of a profile, not over */
#define LIMIT_TRANSFER_PARKED_MS ((uint64_t)10 * 60 * 1000) /* for who sends on, in memory */
#define LIMIT_TRANSFER_RETRY_MIN_MS ((uint64_t)200)         /* after a cut, then doubled ... */
#define LIMIT_TRANSFER_RETRY_MS ((uint64_t)10 * 1000)       /* ... to this */
#define LIMIT_TRANSFER_REMEMBERED_MS \
    ((uint64_t)7 * 24 * 60 * 60 * 1000) /* that it was received, for who asks again */
#define LIMIT_TRANSFER_NOTED_MS ((uint64_t)2 * 1000)  /* between two notes of how far it is */
#define LIMIT_TRANSFER_HANGS_MS ((uint64_t)1500)      /* without a byte, and the talk moved */
#define LIMIT_TRANSFER_STALLS_MS ((uint64_t)5 * 1000) /* without a byte: that is told */
#define LIMIT_TRANSFER_RELAYED_BYTES LIMIT_MIB        /* said over a talk and not taken */
#define LIMIT_TRANSFER_RESERVE_BYTES (64 * LIMIT_MIB) /* left on a disk, of unknown totals */

/* Presence (hub/news.h). */
#define LIMIT_NEWS_MS ((uint64_t)100)    /* between two rounds of telling who comes and goes */
#define LIMIT_NEWS_AT_ONCE ((size_t)64)  /* told of it in one turn of a worker ... */
#define LIMIT_CROWD ((size_t)64 * 1024)  /* whom libkith tells of; more are passed over */
#define LIMIT_NEWS_TURN_MS ((uint64_t)5) /* ... and so long until the next turn */

/* Introductions (people/introduction.h). */
#define LIMIT_INVITING ((size_t)16)              /* open at once, of an account that invites */
#define LIMIT_INVITED ((size_t)64)               /* ... and of one that is invited */
#define LIMIT_INTRODUCTIONS_OPEN ((size_t)4096)  /* ... and of all together */
#define LIMIT_INTRODUCTIONS_KEPT ((size_t)16384) /* accepted, for the relay */
#define LIMIT_INVITED_MS ((uint64_t)60 * 1000)   /* to answer */
#define LIMIT_INTRODUCED_MS ((uint64_t)24 * 60 * 60 * 1000) /* an accepted one counts */
#define LIMIT_CANDIDATES ((size_t)16)

/* Letters (people/letter.h). */
#define LIMIT_LETTER_BYTES (64 * LIMIT_KIB)
#define LIMIT_LETTERS ((size_t)256)          /* that wait for a device ... */
#define LIMIT_LETTERS_BYTES (4 * LIMIT_MIB)  /* ... together ... */
#define LIMIT_LETTERS_OF_SENDER ((size_t)64) /* ... and from one account */
#define LIMIT_LETTERS_TAKEN ((size_t)256)    /* remembered, so that none comes twice */
#define LIMIT_LETTERS_SENDING ((size_t)64)   /* of one kith, not yet with the hub */
#define LIMIT_LETTERS_DOUBTED ((size_t)16)   /* senders whose devices are asked about */
#define LIMIT_LETTERS_SEEN 4096              /* remembered by a device that has shown them */
#define LIMIT_LETTER_MS ((uint64_t)30 * 24 * 60 * 60 * 1000)

/* The relay (hub/relay.h). */
#define LIMIT_RELAYS ((size_t)1024)
#define LIMIT_RELAYS_OF_MEMBER ((size_t)32)             /* its ends, of one account */
#define LIMIT_RELAY_PIPE_BYTES (128 * LIMIT_KIB)        /* said and not taken, each way */
#define LIMIT_RELAY_HOUR_BYTES (1024 * LIMIT_MIB)       /* of one account */
#define LIMIT_RELAY_WAIT_MS ((uint64_t)60 * 1000)       /* for the other side */
#define LIMIT_RELAY_FRESH_MS ((uint64_t)10 * 60 * 1000) /* later both must be present */

/* Accounts (people/, hub/login.h). */
#define LIMIT_ACCOUNT_DEVICES ((size_t)32)
#define LIMIT_ACCOUNT_TOKENS ((size_t)64)
#define LIMIT_PASSWORD_BYTES_MIN ((size_t)8)
#define LIMIT_PASSWORD_BYTES ((size_t)1024)
#define LIMIT_PASSWORD_PASSES ((uint32_t)16)             /* a record may ask for ... */
#define LIMIT_PASSWORD_MEMORY_KIB ((uint32_t)256 * 1024) /* ... and this much */
#define LIMIT_HASHES ((size_t)2)                         /* of passwords, made at once */
#define LIMIT_HASHES_WAITING ((size_t)64)                /* connections that wait for one */
#define LIMIT_THROTTLE_PLACES ((size_t)8192)             /* addresses and accounts remembered */
#define LIMIT_THROTTLE_WAIT_MS ((uint64_t)60 * 1000)     /* between two attempts */
#define LIMIT_THROTTLE_FORGET_MS ((uint64_t)15 * 60 * 1000) /* after the last one */
#define LIMIT_ATTEMPTS_FREE_ACCOUNT ((uint32_t)5)           /* before one has to wait */
#define LIMIT_ATTEMPTS_FREE_ADDRESS ((uint32_t)20)
#define LIMIT_LOGIN_MS ((uint64_t)120 * 1000) /* over TLS from elsewhere */
#define LIMIT_TICKET_MS \
    ((uint64_t)10 * 365 * 24 * 3600 * 1000) /* an invite's or token's time */
#define LIMIT_INVITE_DEFAULT_MS ((uint64_t)7 * 24 * 3600 * 1000)

/* The hub. */
#define LIMIT_LISTENERS ((size_t)64)
#define LIMIT_WORKERS ((size_t)256)
#define LIMIT_DELAY_MS ((uint64_t)60 * 60 * 1000)
/* Input and replies that wait, of all connections together: a quarter of the memory, but no
 * less than this. Past it the connection that holds most is closed. */
#define LIMIT_HELD_BYTES_MIN (256 * LIMIT_MIB)
#define LIMIT_STOP_MS ((uint64_t)10 * 1000) /* a graceful stop waits for readers this long */

/* The log (store/wal.h). */
#define LIMIT_WAL_BUFFERED_BYTES (64 * LIMIT_MIB) /* accepted, not yet on disk */
#define LIMIT_SEGMENT_FIRST_BYTES LIMIT_MIB       /* segments grow from this ... */
#define LIMIT_SEGMENT_BYTES (64 * LIMIT_MIB)      /* ... to this */
#define LIMIT_SEGMENT_RETRY_MS ((uint64_t)1000)   /* after the disk was full */

/* Large values on their way into the log (store/uploads.h). */
#define LIMIT_PART_BYTES (256 * LIMIT_KIB)         /* in one record */
#define LIMIT_UPLOAD_LEFT_MS ((uint64_t)60 * 1000) /* since somebody sent some of it */

/* Checkpoints (store/upkeep.h). */
#define LIMIT_CHECKPOINT_BYTES \
    (64 * LIMIT_MIB) /* of log before one is made unasked, at least */
#define LIMIT_CHECKPOINT_RETRY_MS ((uint64_t)10 * 1000) /* after one has failed */

/* A person at a terminal (client/editor.h, client/visit.h). */
#define LIMIT_TYPED_BYTES (64 * LIMIT_KIB) /* of a line that is typed or pasted */
#define LIMIT_UNANSWERED ((size_t)256)     /* requests under way; past it, nothing is read */
#define LIMIT_HISTORY_READ_BYTES LIMIT_MIB /* of what was said, read to be shown ... */
#define LIMIT_HISTORY_SHOWN ((size_t)20)   /* ... and lines of it */
#define LIMIT_INVITATIONS ((size_t)16) /* that wait for an answer; past it, the oldest goes */
#define LIMIT_VISIT_REPLY_BYTES (LIMIT_VALUE_BYTES + LIMIT_MIB) /* a value, and much else */
#define LIMIT_AGREED ((size_t)64)               /* introductions agreed to, and not yet made */
#define LIMIT_NAMES ((size_t)10 * 1024)         /* of who is present, known to complete them */
#define LIMIT_KNOWN_PEERS_BYTES LIMIT_MIB       /* of the people a profile knows ... */
#define LIMIT_KNOWN_DEVICES ((size_t)64)        /* ... and their devices, of each */
#define LIMIT_BACK_OFF_FIRST_MS ((uint64_t)500) /* a lost hub is tried again after this ... */
#define LIMIT_BACK_OFF_MS ((uint64_t)30 * 1000) /* ... doubled, to this */
#define LIMIT_ANSWER_MS ((uint64_t)20 * 1000)   /* of a hub, to who waits for nothing else */
#define LIMIT_GONE_MS (30 * 1000)               /* of a machine that says nothing more at all */
#define LIMIT_CONNECT_MS ((uint64_t)10 * 1000)  /* a name found, connected, TLS agreed */
#define LIMIT_CHANNEL_BYTES (256 * LIMIT_KIB)   /* written, not yet with the kernel */

/* Backups: a piece of a file, read at once. */
#define LIMIT_BACKUP_PIECE_BYTES LIMIT_MIB

#endif
