#include "kith/command.h"

#include "kith/actor.h"

static const struct command commands[] = {
    {"store", 3, store_run},
    {"get", 2, get_run},
    {"del", SIZE_MAX, del_run},
    {"ls", 2, ls_run},
    {"watch", 2, watch_run},
    {"echo", SIZE_MAX, echo_run},
    {"name", 2, name_run},
    {"info", 2, info_run},
    {"quit", 1, quit_run},
    {"demo", 1, demo_run},
    {"export", 2, export_run},
    {"import", 2, import_run},
    {"backup", 2, backup_run},
    {"join", 2, join_run},
    {"id", 2, id_run},
    {"verify", 2, verify_run},
    {"forget", 2, forget_run},
    {"register", 2, register_run},
    {"login", 2, login_run},
    {"devices", 1, devices_run},
    {"invite", 1, invite_run},
    {"token", 2, token_run},
    {"password", 1, password_run},
    {"account", 2, account_run},
    {"say", SIZE_MAX, say_run},
    {"listen", 1, listen_run},
    {"doctor", 2, doctor_run},
    {"letters", 1, letters_run},
    {"who", 1, who_run},
    {"send", SIZE_MAX, send_run},
    {"receive", 1, receive_run},
    {"transfers", 3, transfers_run},
    {ACTOR_COMMAND, 3, actor_run},
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}
