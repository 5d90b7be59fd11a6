#ifndef KITH_KITH_COMMAND_H
#define KITH_KITH_COMMAND_H

/* The commands of kith, each in a file of its own. A command's words are in
 * session->options.words, its own name the first. All return an exit code, and have said what
 * is wrong when that is not EXIT_DONE. */

#include "kith/session.h"

struct command {
    const char *name;
    size_t words_max; /* with its name; SIZE_MAX: any number */
    int (*run)(struct session *s);
};

/* NULL where there is none of that name. */
const struct command *command_find(const char *name);

int store_run(struct session *s);
int get_run(struct session *s);
int del_run(struct session *s);
int ls_run(struct session *s);
int watch_run(struct session *s);
int echo_run(struct session *s);
int name_run(struct session *s);
int quit_run(struct session *s);
int info_run(struct session *s);
int demo_run(struct session *s);
int export_run(struct session *s);
int import_run(struct session *s);
int backup_run(struct session *s);
int join_run(struct session *s);
int id_run(struct session *s);
int verify_run(struct session *s);
int forget_run(struct session *s);
int register_run(struct session *s);
int login_run(struct session *s);
int devices_run(struct session *s);
int invite_run(struct session *s);
int token_run(struct session *s);
int password_run(struct session *s);
int account_run(struct session *s);
int say_run(struct session *s);
int listen_run(struct session *s);
int doctor_run(struct session *s);
int letters_run(struct session *s);
int who_run(struct session *s);
int send_run(struct session *s);
int receive_run(struct session *s);
int transfers_run(struct session *s);

/* A visit to a hub, where the words are HOST and PORT, or nothing. */
int interactive_run(struct session *s);

/* What the options ask for where there is no command: --key and --value, --raw. */
int keyed_run(struct session *s);
int raw_run(struct session *s);

/* With the key, and for store the value, known already. */
int store_pair(struct session *s, struct bytes key, struct bytes value);
int get_key(struct session *s, struct bytes key);

#endif
