#include "hub/mailbox.h"

#include "base/limits.h"

#include <stdlib.h>

struct mail {
    struct mail *next;
    struct push *push;
};

void mailbox_fini(struct mailbox *m)
{
    struct push *p;
    while (mailbox_take(m, &p))
        push_unref(p);
}

static bool add(struct mailbox *m, struct push *p)
{
    /* However large it is itself: no single value is too large to be told. */
    struct mail *mail = p && m->bytes < LIMIT_MAILBOX_BYTES ? malloc(sizeof *mail) : NULL;
    if (!mail)
        return false;
    *mail = (struct mail){.push = push_ref(p)};
    if (m->last)
        m->last->next = mail;
    else
        m->first = mail;
    m->last = mail;
    m->bytes += push_bytes(p);
    return true;
}

void mailbox_put(struct mailbox *m, struct push *p)
{
    pthread_mutex_lock(&m->lock);
    bool wakes = !m->first && !m->lost;
    if (!add(m, p))
        m->lost = true;
    pthread_mutex_unlock(&m->lock);
    if (wakes)
        mailbox_wake(m);
}

void mailbox_wake(struct mailbox *m)
{
    if (m->wake)
        m->wake(m->ctx);
}

bool mailbox_take(struct mailbox *m, struct push **ret)
{
    pthread_mutex_lock(&m->lock);
    struct mail *mail = m->first;
    if (mail) {
        m->first = mail->next;
        if (!m->first)
            m->last = NULL;
        m->bytes -= push_bytes(mail->push);
        *ret = mail->push;
    }
    pthread_mutex_unlock(&m->lock);
    free(mail);
    return mail != NULL;
}

bool mailbox_has_lost(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    bool lost = m->lost;
    m->lost = false;
    pthread_mutex_unlock(&m->lock);
    return lost;
}
