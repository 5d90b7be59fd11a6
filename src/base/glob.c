#include "base/glob.h"

static uint8_t fold(uint8_t c, bool nocase)
{
    return nocase && c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* One byte against the set at the front of *pattern, which moves past it. A set without an end
 * reaches to the end of the pattern. */
static bool set_matches(struct bytes *pattern, uint8_t c, bool nocase)
{
    struct bytes p = bytes_from(*pattern, 1);
    bool negated = p.len > 0 && p.data[0] == '^';
    if (negated)
        p = bytes_from(p, 1);
    bool found = false;
    while (p.len > 0 && p.data[0] != ']') {
        if (p.data[0] == '\\' && p.len > 1)
            p = bytes_from(p, 1);
        uint8_t low = fold(p.data[0], nocase), high = low;
        if (p.len > 2 && p.data[1] == '-' && p.data[2] != ']') {
            high = fold(p.data[2], nocase);
            p = bytes_from(p, 2);
        }
        if (low > high) {
            uint8_t swap = low;
            low = high;
            high = swap;
        }
        found |= c >= low && c <= high;
        p = bytes_from(p, 1);
    }
    *pattern = p.len > 0 ? bytes_from(p, 1) : p;
    return found != negated;
}

/* One byte against the front of *pattern, which is no '*' and moves past what matched. */
static bool one_matches(struct bytes *pattern, uint8_t c, bool nocase)
{
    c = fold(c, nocase);
    if (pattern->data[0] == '[')
        return set_matches(pattern, c, nocase);
    bool any = pattern->data[0] == '?';
    if (pattern->data[0] == '\\' && pattern->len > 1)
        *pattern = bytes_from(*pattern, 1);
    bool matches = any || fold(pattern->data[0], nocase) == c;
    *pattern = bytes_from(*pattern, 1);
    return matches;
}

bool glob_matches(struct bytes pattern, struct bytes text, bool nocase)
{
    /* Only the last star is ever tried again: what an earlier one could take, it can too. */
    struct bytes star_pattern = {0}, star_text = {0};
    bool star = false;
    while (text.len > 0) {
        if (pattern.len > 0 && pattern.data[0] == '*') {
            star = true;
            star_pattern = pattern = bytes_from(pattern, 1);
            star_text = text;
            continue;
        }
        if (pattern.len > 0 && one_matches(&pattern, text.data[0], nocase)) {
            text = bytes_from(text, 1);
            continue;
        }
        if (!star)
            return false;
        pattern = star_pattern;
        text = star_text = bytes_from(star_text, 1);
    }
    while (pattern.len > 0 && pattern.data[0] == '*')
        pattern = bytes_from(pattern, 1);
    return pattern.len == 0;
}
