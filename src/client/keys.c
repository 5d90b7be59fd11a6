#include "client/keys.h"

#include "base/clean.h"
#include "base/utf8.h"

enum { ESC = 0x1b };

static struct key key_of(enum key_kind kind)
{
    return (struct key){.kind = kind};
}

static struct key text_key(struct bytes text)
{
    struct key key = {.kind = KEY_TEXT, .len = (uint8_t)text.len};
    memcpy(key.text, text.data, text.len);
    return key;
}

/* ---- one byte ---- */

static struct key control_key(uint8_t c)
{
    static const struct {
        uint8_t byte;
        enum key_kind kind;
    } known[] = {
        {'A' & 31, KEY_HOME},      {'B' & 31, KEY_LEFT},  {'C' & 31, KEY_INTERRUPT},
        {'D' & 31, KEY_CLOSE},     {'E' & 31, KEY_END},   {'F' & 31, KEY_RIGHT},
        {'H' & 31, KEY_BACKSPACE}, {'I' & 31, KEY_TAB},   {'J' & 31, KEY_ENTER},
        {'K' & 31, KEY_KILL_REST}, {'L' & 31, KEY_CLEAR}, {'M' & 31, KEY_ENTER},
        {'N' & 31, KEY_DOWN},      {'P' & 31, KEY_UP},    {'U' & 31, KEY_KILL_LINE},
        {'W' & 31, KEY_KILL_WORD}, {'Y' & 31, KEY_YANK},  {'Z' & 31, KEY_SUSPEND},
        {0x7f, KEY_BACKSPACE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].byte == c)
            return key_of(known[i].kind);
    }
    return key_of(KEY_NONE);
}

static struct key pasted_control(struct keys *k, uint8_t c)
{
    bool again = c == '\n' && k->pasted_cr;
    k->pasted_cr = c == '\r';
    if (again)
        return key_of(KEY_NONE);
    if (c == '\r' || c == '\n')
        return text_key(bytes_make("\n", 1));
    return c == '\t' ? text_key(bytes_make("\t", 1)) : key_of(KEY_NONE);
}

/* ---- sequences ---- */

static struct key key_of_number(struct keys *k, struct bytes number)
{
    if (bytes_equal_str(number, "200") || bytes_equal_str(number, "201")) {
        k->pasting = number.data[2] == '0';
        k->pasted_cr = false;
        return key_of(KEY_NONE);
    }
    if (bytes_equal_str(number, "1") || bytes_equal_str(number, "7"))
        return key_of(KEY_HOME);
    if (bytes_equal_str(number, "4") || bytes_equal_str(number, "8"))
        return key_of(KEY_END);
    return key_of(bytes_equal_str(number, "3") ? KEY_DELETE : KEY_NONE);
}

/* Ctrl and Alt, alone or together, make words of characters. */
static bool has_modifier(struct bytes modifier)
{
    return modifier.len == 2 && modifier.data[0] == ';' && modifier.data[1] >= '3' &&
           modifier.data[1] <= '8';
}

/* ESC [ PARAMETERS FINAL, and ESC O FINAL. */
static struct key sequence_key(struct keys *k)
{
    uint8_t final = k->held[k->count - 1];
    struct bytes parameters = bytes_make(k->held + 2, (size_t)k->count - 3);
    size_t first = bytes_find(parameters, ';');
    bool words = has_modifier(bytes_from(parameters, first));
    switch (final) {
    case 'A':
        return key_of(KEY_UP);
    case 'B':
        return key_of(KEY_DOWN);
    case 'C':
        return key_of(words ? KEY_WORD_RIGHT : KEY_RIGHT);
    case 'D':
        return key_of(words ? KEY_WORD_LEFT : KEY_LEFT);
    case 'H':
        return key_of(KEY_HOME);
    case 'F':
        return key_of(KEY_END);
    case '~':
        return key_of_number(k, bytes_first(parameters, first));
    default:
        return key_of(KEY_NONE);
    }
}

static struct key alt_key(uint8_t c)
{
    switch (c) {
    case 'b':
        return key_of(KEY_WORD_LEFT);
    case 'f':
        return key_of(KEY_WORD_RIGHT);
    case 'd':
        return key_of(KEY_KILL_WORD_AHEAD);
    case 0x7f:
        return key_of(KEY_KILL_WORD);
    default:
        return key_of(KEY_NONE);
    }
}

static bool finish(struct keys *k, struct key key, struct key *ret)
{
    k->count = 0;
    k->skipping = false;
    *ret = key;
    return true;
}

/* The second byte of a sequence, and those behind it. */
static bool take_in_sequence(struct keys *k, uint8_t c, struct key *ret)
{
    if (k->count < KEYS_HELD_BYTES)
        k->held[k->count++] = c;
    else
        k->skipping = true;
    if (k->count == 2 && c != '[' && c != 'O')
        return finish(k, k->pasting ? key_of(KEY_NONE) : alt_key(c), ret);
    if (k->count == 2 || (c >= 0x20 && c < 0x40))
        return false;
    struct key key = k->skipping ? key_of(KEY_NONE) : sequence_key(k);
    if (k->pasting && key.kind != KEY_NONE)
        key = key_of(KEY_NONE);
    return finish(k, key, ret);
}

/* ---- characters ---- */

static size_t expected_bytes(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool take_of_character(struct keys *k, uint8_t c, struct key *ret)
{
    k->held[k->count++] = c;
    if (k->count < expected_bytes(k->held[0]))
        return false;
    struct bytes text = bytes_make(k->held, k->count);
    uint32_t code;
    bool good = utf8_decode(text, &code) == text.len && clean_is_clean(text);
    k->pasted_cr = false;
    return finish(k, good ? text_key(text) : key_of(KEY_NONE), ret);
}

/* Does c go on with what is held? If not, that is given up: it was none of ours. */
static bool goes_on(const struct keys *k, uint8_t c)
{
    if (k->held[0] == ESC)
        return c >= 0x20 && (c < 0x80 || k->count == 1);
    return c >= 0x80 && c < 0xc0;
}

static bool take(struct keys *k, uint8_t c, struct key *ret)
{
    if (k->count > 0 && !goes_on(k, c)) {
        k->count = 0;
        k->skipping = false;
    }
    if (k->count > 0 && k->held[0] == ESC)
        return take_in_sequence(k, c, ret);
    if (c == ESC) {
        k->held[k->count++] = c;
        return false;
    }
    if (c < 0x20 || c == 0x7f)
        return finish(k, k->pasting ? pasted_control(k, c) : control_key(c), ret);
    return take_of_character(k, c, ret);
}

bool keys_next(struct keys *k, struct bytes *in, struct key *ret)
{
    while (in->len > 0) {
        uint8_t c = in->data[0];
        *in = bytes_from(*in, 1);
        if (take(k, c, ret))
            return true;
    }
    return false;
}
