/* Whatever a terminal sends: the line stays clean UTF-8 with the cursor between characters,
 * what is shown of it is text and the few sequences painter.h writes, and it means something.
 */

#include "base/clean.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "client/editor.h"
#include "client/painter.h"
#include "client/verbs.h"
#include "fuzz.h"

static void check_line(const struct editor *e)
{
    struct bytes text = editor_text(e);
    assert(e->cursor <= text.len && text.len <= LIMIT_TYPED_BYTES);
    assert(utf8_is_valid(text));
    assert(e->cursor == text.len || (text.data[e->cursor] & 0xc0) != 0x80);
    struct bytes copy = fuzz_copy(text);
    struct verb verb = verb_parse(copy);
    assert(verb.kind == VERB_WRONG ? verb.problem != NULL : verb.argument.len <= copy.len);
    fuzz_free(copy);
}

static void check_shown(const struct editor *e, struct painter *p)
{
    struct buffer out;
    struct painter_line line = {
        .prompt = bytes_from_str("> "), .text = editor_text(e), .cursor = e->cursor};
    buffer_init(&out, SIZE_MAX);
    if (painter_show(p, &line, &out) != 0 || painter_hide(p, &out) != 0)
        abort();
    assert(utf8_is_valid(buffer_view(&out)));
    buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct editor e;
    struct keys k = {0};
    struct key key;
    struct painter p;
    struct bytes in = bytes_make(data, size);
    editor_init(&e);
    painter_init(&p, size > 0 ? data[0] : 80, size > 1 ? data[1] : 24);
    while (keys_next(&k, &in, &key)) {
        assert(key.kind != KEY_TEXT || key.text[0] == '\n' || key.text[0] == '\t' ||
               clean_is_clean(bytes_make(key.text, key.len)));
        if (editor_key(&e, &key) == EDITOR_ENTERED)
            editor_clear(&e);
        check_line(&e);
        if (buffer_len(&e.text) < 512)
            check_shown(&e, &p);
    }
    editor_fini(&e);
    return 0;
}
