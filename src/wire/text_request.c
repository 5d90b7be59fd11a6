#include "wire/text_request.h"

#include "base/clean.h"
#include "base/limits.h"

/* As in GET, M-SEARCH. */
static bool is_http_method(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_')
            return false;
    }
    return word.len > 0;
}

bool text_is_http(struct bytes message)
{
    if (bytes_starts_with(message, "HTTP/"))
        return true;
    struct bytes name = bytes_first(message, bytes_find(message, ':'));
    if (name.len < message.len && bytes_equal_nocase(bytes_trim(name), bytes_from_str("Host")))
        return true;
    struct bytes method = bytes_next_word(&message);
    bytes_next_word(&message);
    struct bytes version = bytes_next_word(&message);
    return bytes_starts_with(version, "HTTP/") && is_http_method(method) &&
           !bytes_equal_str(method, "STORE");
}

static bool breaks_line(struct bytes b)
{
    return bytes_find(b, '\r') < b.len || bytes_find(b, '\n') < b.len ||
           bytes_find(b, '\0') < b.len;
}

/* A large value passes through the processor's cache once, not three times. */
const char *text_value_problem(struct bytes value)
{
    enum { AT_ONCE = 16 * 1024 };
    if (value.len == 0)
        return "the value is empty";
    while (value.len > 0) {
        size_t n = value.len < AT_ONCE ? value.len : AT_ONCE;
        if (breaks_line(bytes_first(value, n)))
            return "the value holds a line break or a NUL";
        value = bytes_from(value, n);
    }
    return NULL;
}

static const char *key_problem(struct bytes key)
{
    struct bytes rest = key;
    bytes_next_word(&rest);
    if (key.len == 0)
        return "there is no key";
    if (rest.len > 0)
        return "the key is more than one word";
    return key.len > LIMIT_KEY_BYTES ? "the key is longer than 64 KiB" : NULL;
}

static struct text_request parse_store(struct bytes rest)
{
    struct text_request request = {.verb = TEXT_STORE};
    size_t equals = bytes_find(rest, '=');
    request.key = bytes_trim(bytes_first(rest, equals));
    if (equals == rest.len) {
        request.problem = "there is no '=' between key and value";
        return request;
    }
    request.value = bytes_trim(bytes_from(rest, equals + 1));
    request.problem = key_problem(request.key);
    if (!request.problem)
        request.problem = text_value_problem(request.value);
    return request;
}

static struct text_request parse_get(struct bytes rest)
{
    struct bytes key = bytes_trim(rest);
    return (struct text_request){.verb = TEXT_GET, .key = key, .problem = key_problem(key)};
}

static bool is_name(struct bytes name)
{
    return name.len > 0 && name.len <= LIMIT_NAME_BYTES && clean_is_clean(name) &&
           bytes_trim(name).len == name.len;
}

static bool is_word(struct bytes b)
{
    return b.len > 0 && b.len <= LIMIT_KEY_BYTES && bytes_find(b, ' ') == b.len &&
           bytes_find(b, '\t') == b.len;
}

/* The commands that count only in their exact shape; all else is an echo. */
static struct text_request parse_exact(struct bytes message)
{
    if (bytes_starts_with(message, "NAME=") && is_name(bytes_from(message, 5)))
        return (struct text_request){.verb = TEXT_NAME, .value = bytes_from(message, 5)};
    if (bytes_equal_str(message, "REPLIES full"))
        return (struct text_request){.verb = TEXT_REPLIES, .full = true};
    if (bytes_equal_str(message, "REPLIES terse"))
        return (struct text_request){.verb = TEXT_REPLIES};
    if (bytes_starts_with(message, "WATCH ") && is_word(bytes_from(message, 6)))
        return (struct text_request){.verb = TEXT_WATCH, .value = bytes_from(message, 6)};
    if (bytes_equal_str(message, "UNWATCH"))
        return (struct text_request){.verb = TEXT_UNWATCH};
    if (bytes_equal_str(message, "#HELP"))
        return (struct text_request){.verb = TEXT_HELP};
    return (struct text_request){.verb = TEXT_ECHO, .value = message};
}

struct text_request text_request_parse(struct bytes message)
{
    if (text_is_http(message))
        return (struct text_request){.verb = TEXT_HTTP};
    struct bytes rest = message;
    struct bytes word = bytes_next_word(&rest);
    if (bytes_equal_str(word, "STORE"))
        return parse_store(rest);
    if (bytes_equal_str(word, "GET"))
        return parse_get(rest);
    if (bytes_equal_str(word, "QUIT"))
        return (struct text_request){.verb = TEXT_QUIT};
    return parse_exact(message);
}
