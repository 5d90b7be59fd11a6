#include "client/where.h"

#include "base/clean.h"
#include "base/number.h"

#include <stdio.h>

static const char *copy_text(char *out, size_t size, struct bytes text)
{
    if (text.len >= size)
        return "the name is too long";
    if (!clean_is_clean(text) || bytes_find(text, ' ') < text.len)
        return "it has a blank, or a character that cannot be shown";
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return NULL;
}

static const char *parse_path(struct bytes path, struct where *w)
{
    if (path.len == 0)
        return "the path is missing";
    if (path.len >= sizeof w->path)
        return "a Unix socket's path is at most 107 bytes";
    if (memchr(path.data, 0, path.len))
        return "there is a NUL in it";
    memcpy(w->path, path.data, path.len);
    return NULL;
}

static const char *parse_host(struct bytes host, struct where *w)
{
    if (host.len == 0)
        return copy_text(w->host, sizeof w->host, bytes_from_str(WHERE_DEFAULT_HOST));
    uint64_t number;
    if (number_parse_u64(host, &number))
        return "a port alone is written :PORT";
    return copy_text(w->host, sizeof w->host, host);
}

static const char *parse_port(struct bytes port, struct where *w)
{
    uint64_t number;
    if (!number_parse_u64(port, &number) || number < 1 || number > UINT16_MAX)
        return "a port is a number from 1 to 65535";
    w->port = (uint16_t)number;
    return NULL;
}

static const char *parse_bracketed(struct bytes text, struct where *w)
{
    size_t close = bytes_find(text, ']');
    if (close == text.len)
        return "the ']' is missing";
    struct bytes rest = bytes_from(text, close + 1);
    struct bytes host = bytes_from(bytes_first(text, close), 1);
    if (bytes_find(host, ':') == host.len)
        return "only an IPv6 address stands in brackets";
    const char *problem = copy_text(w->host, sizeof w->host, host);
    if (problem || rest.len == 0)
        return problem;
    if (rest.data[0] != ':')
        return "only :PORT can follow the ']'";
    return parse_port(bytes_from(rest, 1), w);
}

static const char *parse_address(struct bytes text, struct where *w)
{
    if (text.data[0] == '[')
        return parse_bracketed(text, w);
    size_t colon = bytes_find(text, ':');
    if (colon == text.len)
        return parse_host(text, w);
    struct bytes rest = bytes_from(text, colon + 1);
    if (bytes_find(rest, ':') < rest.len) /* two colons: an IPv6 address by itself */
        return copy_text(w->host, sizeof w->host, text);
    const char *problem = parse_host(bytes_first(text, colon), w);
    return problem ? problem : parse_port(rest, w);
}

/* Its form alone: fingerprint_read would bring libsodium into libkith. */
static const char *parse_fingerprint(struct bytes text, struct where *w)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (text.len != FINGERPRINT_TEXT_LEN)
        return "a fingerprint is 43 letters and digits after the '#'";
    for (size_t i = 0; i < text.len; i++)
        if (!memchr(digits, text.data[i], sizeof digits - 1))
            return "a fingerprint has letters, digits, '-' and '_' only";
    memcpy(w->fingerprint, text.data, text.len);
    return NULL;
}

static const char *parse_url(struct bytes text, struct where *w)
{
    size_t hash = bytes_find(text, '#');
    struct bytes address = bytes_first(text, hash);
    w->secure = true;
    if (address.len > 0 && address.data[address.len - 1] == '/')
        address.len--;
    if (address.len == 0)
        return "the address is missing";
    if (bytes_find(address, '/') < address.len)
        return "nothing but a fingerprint can follow the address";
    const char *problem = parse_address(address, w);
    return problem || hash == text.len ? problem
                                       : parse_fingerprint(bytes_from(text, hash + 1), w);
}

const char *where_parse(struct bytes text, struct where *ret)
{
    struct where w = {.port = WHERE_DEFAULT_PORT};
    const char *problem;
    if (text.len == 0)
        return "it is empty";
    if (bytes_starts_with(text, "kith://"))
        problem = parse_url(bytes_from(text, strlen("kith://")), &w);
    else if (bytes_starts_with(text, "unix:"))
        problem = parse_path(bytes_from(text, strlen("unix:")), &w);
    else if (bytes_find(text, '/') < text.len)
        problem = parse_path(text, &w);
    else
        problem = parse_address(text, &w);
    if (!problem)
        *ret = w;
    return problem;
}

const char *where_choose(const char *given, const char *environment, struct where *ret)
{
    if (!given && environment && *environment)
        given = environment;
    if (!given)
        given = WHERE_DEFAULT_HOST;
    return where_parse(bytes_from_str(given), ret);
}

void where_format(const struct where *w, char out[WHERE_TEXT_BYTES])
{
    if (w->path[0])
        snprintf(out, WHERE_TEXT_BYTES, "%s", w->path);
    else if (strchr(w->host, ':'))
        snprintf(out, WHERE_TEXT_BYTES, "[%s]:%u", w->host, w->port);
    else
        snprintf(out, WHERE_TEXT_BYTES, "%s:%u", w->host, w->port);
}
