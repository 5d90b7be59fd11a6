#include "client/editor.h"

#include "base/columns.h"
#include "base/limits.h"
#include "base/utf8.h"

#include <sodium.h>

void editor_init(struct editor *e)
{
    *e = (struct editor){0};
    buffer_init(&e->text, LIMIT_TYPED_BYTES);
    buffer_init(&e->killed, LIMIT_TYPED_BYTES);
    buffer_init(&e->draft, LIMIT_TYPED_BYTES);
    history_init(&e->history);
}

static void wipe(struct buffer *b)
{
    if (b->data)
        sodium_memzero(b->data, b->capacity);
    buffer_release(b);
}

void editor_fini(struct editor *e)
{
    wipe(&e->text);
    wipe(&e->killed);
    wipe(&e->draft);
    history_fini(&e->history);
}

/* ---- places in the text ---- */

/* Of the character at offset at: its length, its columns. */
static size_t character(const struct editor *e, size_t at, unsigned *ret_columns)
{
    uint32_t code = 0;
    size_t n = utf8_decode(bytes_from(editor_text(e), at), &code);
    *ret_columns = columns_of(code);
    return n > 0 ? n : 1;
}

static size_t next_place(const struct editor *e, size_t at)
{
    unsigned columns;
    size_t len = buffer_len(&e->text);
    if (at < len)
        at += character(e, at, &columns);
    while (at < len) {
        size_t n = character(e, at, &columns);
        if (columns > 0)
            break;
        at += n;
    }
    return at;
}

static size_t previous_place(const struct editor *e, size_t at)
{
    struct bytes text = editor_text(e);
    unsigned columns = 0;
    assert(text.data || at == 0);
    while (at > 0 && columns == 0) {
        do
            at--;
        while (at > 0 && (text.data[at] & 0xc0) == 0x80);
        character(e, at, &columns);
    }
    return at;
}

static bool is_blank(const struct editor *e, size_t at)
{
    uint8_t c = editor_text(e).data[at];
    return c == ' ' || c == '\t' || c == '\n';
}

static size_t word_left(const struct editor *e, size_t at)
{
    while (at > 0 && is_blank(e, at - 1))
        at--;
    while (at > 0 && !is_blank(e, at - 1))
        at--;
    return at;
}

static size_t word_right(const struct editor *e, size_t at)
{
    size_t len = buffer_len(&e->text);
    while (at < len && is_blank(e, at))
        at++;
    while (at < len && !is_blank(e, at))
        at++;
    return at;
}

/* ---- changing it ---- */

static int insert(struct editor *e, struct bytes what)
{
    size_t before = buffer_len(&e->text);
    int r = buffer_append_bytes(&e->text, what);
    if (r != 0)
        return r;
    uint8_t *at = e->text.data + e->text.start + e->cursor;
    memmove(at + what.len, at, before - e->cursor);
    memcpy(at, what.data, what.len);
    e->cursor += what.len;
    return 0;
}

static void cut(struct editor *e, size_t from, size_t to)
{
    size_t len = buffer_len(&e->text);
    if (from == to)
        return;
    uint8_t *text = e->text.data + e->text.start;
    memmove(text + from, text + to, len - to);
    buffer_truncate(&e->text, len - (to - from));
    e->cursor = from;
    e->overflowed = e->overflowed && buffer_len(&e->text) > 0;
}

static enum editor_result kill(struct editor *e, size_t from, size_t to)
{
    if (from == to)
        return EDITOR_SAME;
    buffer_truncate(&e->killed, 0);
    struct bytes gone = bytes_first(bytes_from(editor_text(e), from), to - from);
    if (!e->secret && buffer_append_bytes(&e->killed, gone) != 0)
        return EDITOR_FULL;
    cut(e, from, to);
    return EDITOR_CHANGED;
}

static enum editor_result move(struct editor *e, size_t to)
{
    bool moved = to != e->cursor;
    e->cursor = to;
    return moved ? EDITOR_CHANGED : EDITOR_SAME;
}

static enum editor_result erase(struct editor *e, size_t from, size_t to)
{
    bool any = from != to;
    cut(e, from, to);
    return any ? EDITOR_CHANGED : EDITOR_SAME;
}

static enum editor_result put(struct editor *e, struct bytes text)
{
    if (text.len == 0 || e->overflowed)
        return EDITOR_SAME;
    e->overflowed = insert(e, text) != 0;
    return e->overflowed ? EDITOR_FULL : EDITOR_CHANGED;
}

int editor_replace(struct editor *e, size_t n, struct bytes text)
{
    if (buffer_len(&e->text) - n + text.len > LIMIT_TYPED_BYTES)
        return BUFFER_FULL;
    cut(e, e->cursor - n, e->cursor);
    return text.len > 0 ? insert(e, text) : 0;
}

void editor_clear(struct editor *e)
{
    if (e->secret)
        wipe(&e->text);
    else
        history_add(&e->history, editor_text(e)); /* without memory it is merely not kept */
    editor_drop(e);
}

void editor_drop(struct editor *e)
{
    buffer_truncate(&e->text, 0);
    buffer_truncate(&e->draft, 0);
    e->cursor = 0;
    e->recalled = 0;
    e->overflowed = false;
}

void editor_set_secret(struct editor *e, bool secret)
{
    if (e->secret == secret)
        return;
    wipe(&e->text);
    editor_drop(e);
    e->secret = secret;
}

/* ---- history ---- */

static enum editor_result recall(struct editor *e, size_t which)
{
    if (e->secret || which > e->history.count || which == e->recalled)
        return EDITOR_SAME;
    if (e->recalled == 0) {
        buffer_truncate(&e->draft, 0);
        if (buffer_append_bytes(&e->draft, editor_text(e)) != 0)
            return EDITOR_FULL;
    }
    struct bytes line =
        which == 0 ? buffer_view(&e->draft) : history_line(&e->history, which - 1);
    buffer_truncate(&e->text, 0);
    e->recalled = which;
    e->cursor = 0;
    return line.len > 0 && insert(e, line) != 0 ? EDITOR_FULL : EDITOR_CHANGED;
}

/* ---- keys ---- */

static enum editor_result move_key(struct editor *e, enum key_kind kind)
{
    switch (kind) {
    case KEY_LEFT:
        return move(e, previous_place(e, e->cursor));
    case KEY_RIGHT:
        return move(e, next_place(e, e->cursor));
    case KEY_HOME:
        return move(e, 0);
    case KEY_END:
        return move(e, buffer_len(&e->text));
    case KEY_WORD_LEFT:
        return move(e, word_left(e, e->cursor));
    case KEY_WORD_RIGHT:
        return move(e, word_right(e, e->cursor));
    case KEY_UP:
        return recall(e, e->recalled + 1);
    case KEY_DOWN:
        return e->recalled > 0 ? recall(e, e->recalled - 1) : EDITOR_SAME;
    default:
        return EDITOR_SAME;
    }
}

static enum editor_result change_key(struct editor *e, const struct key *key)
{
    switch (key->kind) {
    case KEY_TEXT:
        return put(e, bytes_make(key->text, key->len));
    case KEY_BACKSPACE:
        return erase(e, previous_place(e, e->cursor), e->cursor);
    case KEY_DELETE:
    case KEY_CLOSE:
        return erase(e, e->cursor, next_place(e, e->cursor));
    case KEY_KILL_LINE:
        return kill(e, 0, e->cursor);
    case KEY_KILL_REST:
        return kill(e, e->cursor, buffer_len(&e->text));
    case KEY_KILL_WORD:
        return kill(e, word_left(e, e->cursor), e->cursor);
    case KEY_KILL_WORD_AHEAD:
        return kill(e, e->cursor, word_right(e, e->cursor));
    case KEY_YANK:
        return put(e, buffer_view(&e->killed));
    default:
        return move_key(e, key->kind);
    }
}

enum editor_result editor_key(struct editor *e, const struct key *key)
{
    switch (key->kind) {
    case KEY_ENTER:
        return e->overflowed ? EDITOR_TOO_LONG : EDITOR_ENTERED;
    case KEY_TAB:
        return e->secret ? EDITOR_SAME : EDITOR_COMPLETE;
    case KEY_CLEAR:
        return EDITOR_CLEAR;
    case KEY_INTERRUPT:
        return EDITOR_INTERRUPTED;
    case KEY_SUSPEND:
        return EDITOR_SUSPENDED;
    case KEY_CLOSE:
        if (buffer_len(&e->text) == 0)
            return EDITOR_CLOSED;
        return change_key(e, key);
    default:
        return change_key(e, key);
    }
}
