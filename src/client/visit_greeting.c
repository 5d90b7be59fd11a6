#include "base/limits.h"
#include "client/device_list.h"
#include "client/visit_inner.h"
#include "people/password.h"

#include <sodium.h>
#include <stdio.h>

/* The greeting's questions. STEP_WAIT: what was answered is with the hub. */
enum step {
    STEP_WHICH,
    STEP_NEW_NAME,
    STEP_NEW_PASSWORD,
    STEP_NEW_AGAIN,
    STEP_INVITE,
    STEP_NAME,
    STEP_PASSWORD,
    STEP_WAIT,
};

static const struct question {
    const char *text;
    bool secret;
} questions[] = {
    [STEP_WHICH] = {"Are you new here, or returning? [new/returning] ", false},
    [STEP_NEW_NAME] = {"What shall you be called? ", false},
    [STEP_NEW_PASSWORD] = {"A password, 8 or more: ", true},
    [STEP_NEW_AGAIN] = {"The same again: ", true},
    [STEP_INVITE] = {"Your invitation: ", true},
    [STEP_NAME] = {"Your name: ", false},
    [STEP_PASSWORD] = {"Your password: ", true},
    [STEP_WAIT] = {"", false},
};

void greeting_prompt(struct visit *v)
{
    const struct question *q = &questions[v->step];
    v->handler->prompt(v, bytes_from_str(q->text), q->secret);
}

static void go(struct visit *v, enum step step)
{
    v->step = (uint8_t)step;
    greeting_prompt(v);
}

void greeting_forget(struct visit *v)
{
    if (v->secret.data)
        sodium_memzero(v->secret.data, v->secret.capacity);
    buffer_truncate(&v->secret, 0);
}

void greeting_begin(struct visit *v)
{
    v->state = VISIT_GREETING;
    v->member = false;
    go(v, STEP_WHICH);
}

/* As nobody: the table, where the hub lets him, and an echo. */
static void be_nobody(struct visit *v)
{
    v->member = false;
    v->name[0] = '\0';
    visit_enter(v);
}

/* ---- answers of the person ---- */

static bool is_answer(struct bytes line, const char *word)
{
    return line.len > 0 && line.len <= strlen(word) &&
           bytes_equal_nocase(line, bytes_make(word, line.len));
}

static void take_which(struct visit *v, struct bytes line)
{
    struct bytes word = bytes_trim(line);
    if (is_answer(word, "new")) {
        go(v, STEP_NEW_NAME);
    } else if (is_answer(word, "returning")) {
        go(v, STEP_NAME);
    } else if (word.len == 0) {
        be_nobody(v);
    } else if (v->person && bytes_equal_str(word, "/quit")) {
        visit_leave(v, VISIT_DONE);
    } else if (!v->person) {
        be_nobody(v); /* a program that has come for the table */
        visit_typed(v, line, false);
    } else {
        visit_say(v, VISIT_PROBLEM,
                  "new, or returning? Or Enter alone, to be nobody here; /quit leaves.");
        go(v, STEP_WHICH);
    }
}

/* Enter alone leads back: who is not new after all has a name that is taken. */
static void take_name(struct visit *v, struct bytes line, enum step next)
{
    struct bytes name = bytes_trim(line);
    if (name.len == 0) {
        go(v, STEP_WHICH);
        return;
    }
    if (!account_name_is_valid(name)) {
        visit_say(v, VISIT_PROBLEM, "A name is 1 to %d letters, digits, and _ . -",
                  ACCOUNT_NAME_BYTES);
        go(v, (enum step)v->step);
        return;
    }
    memcpy(v->name, name.data, name.len);
    v->name[name.len] = '\0';
    go(v, next);
}

/* Enter alone leads back to the name. */
static void keep_secret(struct visit *v, struct bytes line)
{
    greeting_forget(v);
    if (line.len == 0) {
        go(v, STEP_NEW_NAME);
    } else if (!password_is_acceptable(line)) {
        visit_say(v, VISIT_PROBLEM, "A password has %zu to %zu bytes; Enter alone leads back.",
                  LIMIT_PASSWORD_BYTES_MIN, LIMIT_PASSWORD_BYTES);
        go(v, STEP_NEW_PASSWORD);
    } else if (buffer_append_bytes(&v->secret, line) != 0) {
        visit_leave(v, VISIT_FAILED);
    } else {
        go(v, STEP_NEW_AGAIN);
    }
}

static void ask_register(struct visit *v, struct bytes invite)
{
    struct bytes argv[] = {bytes_from_str("REGISTER"), bytes_from_str(v->name),
                           buffer_view(&v->secret), bytes_from_str("INVITE"), invite};
    v->invited = invite.len > 0;
    visit_ask(v, ASKED_REGISTER, bytes_make(NULL, 0), argv, invite.len > 0 ? 5 : 3);
    go(v, STEP_WAIT);
}

/* Enter alone leads back to the name. */
static void take_invite(struct visit *v, struct bytes invite)
{
    if (invite.len > 0) {
        ask_register(v, invite);
        return;
    }
    greeting_forget(v);
    go(v, STEP_NEW_NAME);
}

static void take_again(struct visit *v, struct bytes line)
{
    if (bytes_equal(line, buffer_view(&v->secret))) {
        ask_register(v, bytes_make(NULL, 0));
        return;
    }
    visit_say(v, VISIT_PROBLEM, "That was not the same; Enter alone leads back.");
    go(v, STEP_NEW_PASSWORD);
}

static void take_password(struct visit *v, struct bytes line)
{
    struct bytes argv[] = {bytes_from_str("LOGIN"), bytes_from_str(v->name), line};
    visit_ask(v, ASKED_LOGIN, bytes_make(NULL, 0), argv, 3);
    go(v, STEP_WAIT);
}

void greeting_typed(struct visit *v, struct bytes line)
{
    switch ((enum step)v->step) {
    case STEP_WHICH:
        take_which(v, line);
        return;
    case STEP_NEW_NAME:
        take_name(v, line, STEP_NEW_PASSWORD);
        return;
    case STEP_NEW_PASSWORD:
        keep_secret(v, line);
        return;
    case STEP_NEW_AGAIN:
        take_again(v, line);
        return;
    case STEP_INVITE:
        take_invite(v, bytes_trim(line));
        return;
    case STEP_NAME:
        take_name(v, line, STEP_PASSWORD);
        return;
    case STEP_PASSWORD:
        take_password(v, line);
        return;
    case STEP_WAIT:
        return;
    }
}

/* ---- answers of the hub ---- */

static void refused(struct visit *v, enum asked_kind kind, struct bytes why)
{
    struct bytes rest = why;
    struct bytes word = bytes_next_word(&rest);
    bool invite = bytes_equal_str(word, "NOINVITE");
    bool denied = bytes_equal_str(word, "NOPERM");
    bool closed = denied && !v->invited;
    visit_say_text(v, VISIT_PROBLEM, "The hub says: ", bytes_trim(rest), "");
    if (!v->person) {
        visit_leave(v, VISIT_DENIED);
    } else if (kind == ASKED_REGISTER && (invite || (denied && v->invited))) {
        go(v, STEP_INVITE);
    } else {
        greeting_forget(v);
        go(v, kind != ASKED_REGISTER ? STEP_NAME : closed ? STEP_WHICH : STEP_NEW_NAME);
    }
}

static void welcome(struct visit *v)
{
    greeting_forget(v);
    v->member = true;
    visit_enter(v);
}

static void take_whoami(struct visit *v, const struct resp_value *reply)
{
    if (reply->kind == RESP_BULK && account_name_is_valid(reply->text)) {
        memcpy(v->name, reply->text.data, reply->text.len);
        v->name[reply->text.len] = '\0';
        welcome(v);
    } else {
        be_nobody(v);
    }
}

/* Who is asked a question in the middle of everything may answer it with what was meant for
 * somebody else: he is told what he can do, and comes again. */
void greeting_revoked(struct visit *v)
{
    visit_say(v, VISIT_PROBLEM,
              "This device is no longer one of %s's: it was revoked, or the account is gone.",
              v->name);
    visit_say(v, VISIT_NOTE,
              "If that was you, all is well. Else: kith login %s adds it again, with the "
              "password; then look at kith devices.",
              v->name);
    visit_leave(v, VISIT_DENIED);
}

/* NOLOGIN: the device is nobody's. Any other refusal: a hub without people. */
static void take_device(struct visit *v, const struct resp_value *reply)
{
    if (reply->kind != RESP_FAILURE) {
        visit_ask_word(v, ASKED_WHOAMI, "WHOAMI");
        return;
    }
    if (!bytes_starts_with(reply->text, "NOLOGIN") || (v->was_here && !v->member)) {
        be_nobody(v);
        return;
    }
    if (v->was_here)
        greeting_revoked(v);
    else
        greeting_begin(v);
}

void greeting_reply(struct visit *v, enum asked_kind kind, const struct resp_value *reply)
{
    if (kind == ASKED_DEVICE)
        take_device(v, reply);
    else if (kind == ASKED_WHOAMI)
        take_whoami(v, reply);
    else if (reply->kind == RESP_FAILURE)
        refused(v, kind, reply->text);
    else
        welcome(v);
    if ((kind == ASKED_LOGIN || kind == ASKED_WHOAMI) && v->member && v->has_post &&
        !v->knows_own)
        visit_ask_word(v, ASKED_OWN, "DEVICES");
}

void greeting_devices(struct visit *v, const struct resp_value *values, size_t count)
{
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    char print[FINGERPRINT_TEXT_LEN + 1];
    struct fingerprint own = fingerprint_of(&v->post.key);
    size_t n;
    v->knows_own = true;
    if (!device_list_read(values, count, devices, &n) ||
        !device_list_is_unsigned(devices, n, &v->post.key))
        return;
    fingerprint_write(print, &own);
    visit_say(v, VISIT_NOTE,
              "This device is unsigned, and others may refuse it. On an older device of yours: "
              "kith devices --sign %s",
              print);
}
