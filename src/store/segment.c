#include "store/segment.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"
#include "store/record.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t magic[8] = "kithlog";

enum {
    AT_VERSION = 8,
    AT_ID = 16,
    AT_SALT = 24,
    AT_REPLACES = 32,
    AT_BYTES = 40,
    AT_CHECKSUM = 56,
};

void segment_header_write(uint8_t to[SEGMENT_HEADER_BYTES], const struct segment_header *h)
{
    memset(to, 0, SEGMENT_HEADER_BYTES);
    memcpy(to, magic, sizeof magic);
    number_put_u32(to + AT_VERSION, SEGMENT_VERSION);
    number_put_u64(to + AT_ID, h->id);
    number_put_u64(to + AT_SALT, h->salt);
    number_put_u64(to + AT_REPLACES, h->replaces);
    number_put_u64(to + AT_BYTES, h->bytes);
    number_put_u64(to + AT_CHECKSUM, hash_bytes(bytes_make(to, AT_CHECKSUM), 0));
}

int segment_header_read(struct bytes in, struct segment_header *ret)
{
    if (in.len < SEGMENT_HEADER_BYTES || memcmp(in.data, magic, sizeof magic) != 0 ||
        number_get_u64(in.data + AT_CHECKSUM) != hash_bytes(bytes_first(in, AT_CHECKSUM), 0))
        return SEGMENT_BAD;
    uint32_t version = number_get_u32(in.data + AT_VERSION);
    if (version > SEGMENT_VERSION)
        return SEGMENT_NEWER;
    struct segment_header h = {
        .id = number_get_u64(in.data + AT_ID),
        .salt = number_get_u64(in.data + AT_SALT),
        .replaces = number_get_u64(in.data + AT_REPLACES),
        .bytes = number_get_u64(in.data + AT_BYTES),
    };
    if (version != SEGMENT_VERSION || h.id == 0 || h.id == UINT64_MAX || h.replaces >= h.id ||
        h.bytes < SEGMENT_HEADER_BYTES || h.bytes % RECORD_ALIGN != 0)
        return SEGMENT_BAD;
    *ret = h;
    return 0;
}

void segment_name(char out[DISK_NAME_BYTES], uint64_t id)
{
    snprintf(out, DISK_NAME_BYTES, "log-%016llx", (unsigned long long)id);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool segment_name_parse(const char *name, uint64_t *ret_id)
{
    if (strncmp(name, "log-", 4) != 0 || strlen(name) != 20)
        return false;
    uint64_t id = 0;
    for (const char *c = name + 4; *c; c++) {
        int digit = hex_digit(*c);
        if (digit < 0)
            return false;
        id = id << 4 | (uint64_t)digit;
    }
    *ret_id = id;
    return true;
}

static int write_content(struct disk *d, struct disk_file *f, const struct segment_header *h,
                         struct bytes records)
{
    uint8_t header[SEGMENT_HEADER_BYTES];
    segment_header_write(header, h);
    int r = disk_write(d, f, 0, header, sizeof header);
    if (r == 0 && records.len)
        r = disk_write(d, f, sizeof header, records.data, records.len);
    if (r == 0)
        r = disk_zero(d, f, sizeof header + records.len, h->bytes);
    return r == 0 ? disk_sync(d, f) : r;
}

/* A file left behind by a crash, or by a removal that failed, is in the way only once. */
static int create_tmp(struct disk *d, struct disk_file **ret)
{
    int r = disk_open(d, SEGMENT_TMP_NAME, true, ret);
    if (r != -EEXIST)
        return r;
    r = disk_remove(d, SEGMENT_TMP_NAME);
    return r == 0 ? disk_open(d, SEGMENT_TMP_NAME, true, ret) : r;
}

int segment_make(struct disk *d, const struct segment_header *h, struct bytes records)
{
    assert(h->bytes >= SEGMENT_HEADER_BYTES + records.len && h->bytes % RECORD_ALIGN == 0);
    struct disk_file *f;
    int r = create_tmp(d, &f);
    if (r < 0)
        return r;
    r = write_content(d, f, h, records);
    disk_close(d, f);
    if (r < 0)
        goto remove_tmp;
    char name[DISK_NAME_BYTES];
    segment_name(name, h->id);
    r = disk_rename(d, SEGMENT_TMP_NAME, name);
    if (r < 0)
        goto remove_tmp;
    r = disk_sync_folder(d);
    if (r < 0)
        disk_remove(d, name);
    return r;

remove_tmp:
    disk_remove(d, SEGMENT_TMP_NAME);
    return r;
}
