#ifndef KITH_MEET_SELF_H
#define KITH_MEET_SELF_H

/* Who one is, and which hub one means. This device's own key lies in the profile's folder and
 * is made on first use; it is shown on every TLS connection.
 *
 * Is the hub at the other end of one the hub that was meant? Where `where` names a fingerprint,
 * that decides. Else the one it had when it was met first does, which is remembered in the
 * profile's known_hubs.
 *
 * Functions that return a kind of trouble have set *ret where it is not TROUBLE_NONE. */

#include "client/where.h"
#include "io/profile.h"
#include "meet/trouble.h"
#include "tls/tls.h"

#define SELF_DEFAULT_PROFILE "default"

enum { SELF_COMMAND_BYTES = WHERE_TEXT_BYTES + 64 };

struct self {
    const char *profile;                      /* its name */
    const struct where *where;                /* the owner's, who may still change it */
    const char *where_text;                   /* as where_format writes it; the owner's, too */
    struct identity *identity;                /* this device's, once it was wanted; else NULL */
    struct tls_config *to_hub;                /* of connections to the hub, likewise */
    char hub_print[FINGERPRINT_TEXT_LEN + 1]; /* the hub's, as last shown */
};

/* What --as says, and what else names a profile. */
bool self_profile_is_valid(const char *name);

/* What is given must outlive it. profile NULL: the default one. */
void self_init(struct self *s, const char *profile, const struct where *where,
               const char *where_text);
void self_fini(struct self *s);

/* The device's secret key; whoever asks wipes it. */
enum trouble_kind self_seed(const struct self *s, uint8_t ret_seed[PROFILE_KEY_BYTES],
                            struct trouble *ret);

/* Sets the identity, once; where there is no home folder to keep a key in, there is none. */
enum trouble_kind self_identity(struct self *s, struct trouble *ret);

/* Sets to_hub, once. */
enum trouble_kind self_config(struct self *s, struct trouble *ret);

/* Judges whose key the hub has shown. TROUBLE_CHANGED; *ret_met: it was met for the first
 * time, and is remembered now. */
enum trouble_kind self_judge_hub(struct self *s, const struct public_key *key, bool *ret_met,
                                 struct trouble *ret);

/* Sets hub_print to what the hub is known by, without asking it: TROUBLE_FAILED where it was
 * never met. */
enum trouble_kind self_known_hub(struct self *s, struct trouble *ret);

/* Remembers what the hub, which was judged, is known by. */
enum trouble_kind self_remember_hub(const struct self *s, struct trouble *ret);

/* The hub is not to be reached. why: in words; refused: nobody listens there. */
enum trouble_kind self_no_hub(const struct self *s, const char *why, bool refused,
                              struct trouble *ret);

/* This device is of no account there; what to type. */
enum trouble_kind self_nobody(const struct self *s, struct trouble *ret);

/* How a command for this profile and hub begins that is typed as it is: "kith --as bob --hub
 * 10.0.0.5:12345", with no --as for the default profile. */
void self_command(const struct self *s, char out[SELF_COMMAND_BYTES]);

/* What answers there is no hub. */
enum trouble_kind self_strange(const struct self *s, struct trouble *ret);

#endif
