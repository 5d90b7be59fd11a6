/* kith letters: prints what others have left for this device, and takes it; --discard throws
 * away what one device has left. */

#include "kith/command.h"
#include "kith/discard.h"
#include "kith/letter_line.h"

struct letters {
    struct contact contact;
    int code;  /* of the end */
    bool some; /* something was said of one */
};

static struct letters *letters_of(struct post *p)
{
    return (struct letters *)contact_of_post(p);
}

static bool on_show(struct post *p, const struct peer_letter *l)
{
    letters_of(p)->some = true;
    return letter_line_print(&contact_of_post(p)->session->output, l);
}

static void on_warn(struct post *p, enum post_warning warning, struct bytes name)
{
    letters_of(p)->some = true;
    letters_of(p)->code = letter_line_warn(p, warning, name);
}

static void say_none(struct output *o)
{
    if (o->terminal && !o->json && !o->quiet)
        output_line(o, "", bytes_from_str("No letters."));
}

static void on_idle(struct post *p)
{
    struct letters *l = letters_of(p);
    struct session *s = l->contact.session;
    if (p->was_busy)
        l->code = session_fail(s, EXIT_NO, "another kith of this device is taking letters");
    else if (!l->some)
        say_none(&s->output);
    contact_end(&l->contact, s->output.failed != 0 ? EXIT_NO : l->code);
}

static const struct post_handler post_handler = {
    .request = contact_post, .show = on_show, .warn = on_warn, .idle = on_idle};

static void on_ready(struct contact *c, bool again)
{
}

static const struct talks_handler talks_handler = {.begun = NULL};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = contact_lost,
                                                       .talks = &talks_handler,
                                                       .post = &post_handler,
                                                       .takes_letters = true};

int letters_run(struct session *s)
{
    struct letters l = {.code = EXIT_DONE};
    if (s->options.discard)
        return discard_letters(s, bytes_from_str(s->options.discard));
    return contact_run(&l.contact, s, &contact_handler);
}
