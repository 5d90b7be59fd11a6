/* Who receives takes whatever journal lies there and whatever frames come. It publishes nothing
 * that was not said to be whole, says DONE only then, and ends cleanly wherever it is cut.
 *
 * Input: the length of the journal, 2 bytes, little-endian; the journal, records of a length of
 * one byte, and so many bytes, which get the head that a record has; then the stream of frames:
 * of each the type, a length of 2 bytes, little-endian, and the payload. The sums of chunks are
 * made right unless they begin with 0xff. */

#include "peer/receiving.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"
#include "base/sum.h"
#include "fuzz.h"
#include "support/faulty_inbox.h"

enum { RECORD_HEAD = 12, CHUNK_HEAD = 32, SUM_AT = 16 };

static const struct receiving_terms terms = {
    .id = {{0}}, .cap = LIMIT_MIB, .bytes = LIMIT_MIB / 2, .entries = 40};

static void put_record(struct buffer *journal, struct bytes body)
{
    uint8_t *to;
    uint64_t at = buffer_len(journal);
    if (buffer_reserve(journal, RECORD_HEAD + body.len, &to) != 0)
        abort();
    number_put_be32(to, (uint32_t)body.len);
    number_put_be64(to + 4, hash_bytes(body, at));
    if (body.len > 0)
        memcpy(to + RECORD_HEAD, body.data, body.len);
    buffer_wrote(journal, RECORD_HEAD + body.len);
}

/* The first record is the one that lets others count, unless there is none. */
static void put_journal(struct buffer *journal, struct bytes in)
{
    static const uint8_t begin[1 + 1 + RANDOM_ID_BYTES] = {RECEIVING_BEGIN,
                                                           RECEIVING_JOURNAL_VERSION};
    if (in.len > 0)
        put_record(journal, bytes_make(begin, sizeof begin));
    while (in.len > 0) {
        size_t n = in.data[0] < in.len - 1 ? in.data[0] : in.len - 1;
        put_record(journal, bytes_make(in.data + 1, n));
        in = bytes_from(in, 1 + n);
    }
}

/* What is left of the input, behind as much as its first two bytes say. */
static struct bytes take_sized(struct bytes *in)
{
    if (in->len < 2)
        return bytes_make(NULL, 0);
    size_t n = (size_t)in->data[0] | (size_t)in->data[1] << 8;
    *in = bytes_from(*in, 2);
    if (n > in->len)
        n = in->len;
    struct bytes taken = bytes_first(*in, n);
    *in = bytes_from(*in, n);
    return taken;
}

static void make_right(uint8_t type, struct bytes payload)
{
    if (type != TRANSFER_CHUNK || payload.len <= CHUNK_HEAD || payload.data[SUM_AT] == 0xff)
        return;
    uint8_t *sum = (uint8_t *)(uintptr_t)payload.data + SUM_AT;
    sum_bytes(bytes_from(payload, CHUNK_HEAD), 0, sum);
}

static void work(struct receiving *r, struct buffer *out)
{
    while (receiving_work(r, out) == 0)
        ;
    buffer_truncate(out, 0);
}

static void take_frames(struct receiving *r, struct bytes in, struct buffer *out)
{
    while (in.len > 2) {
        uint8_t type = in.data[0];
        in = bytes_from(in, 1);
        struct bytes payload = fuzz_copy(take_sized(&in));
        make_right(type, payload);
        struct peer_frame f = {type, payload};
        assert(receiving_take(r, &f, out) == 0);
        assert(r->course.bytes <= terms.cap && r->course.number <= terms.entries);
        if (type % 2 == 0)
            assert(receiving_sync(r, out) == 0);
        work(r, out);
        fuzz_free(payload);
    }
}

static void connect(struct faulty_inbox *inbox, struct bytes frames)
{
    struct receiving r;
    struct buffer out;
    buffer_init(&out, LIMIT_MIB);
    receiving_init(&r, faulty_inbox(inbox), &terms, NULL);
    assert(receiving_begin(&r, &out) == 0);
    take_frames(&r, frames, &out);
    assert((r.state == RECEIVING_PUBLISHED) == faulty_inbox_is_cleared(inbox));
    assert(r.state >= RECEIVING_PUBLISHING || faulty_inbox_published(inbox) == 0);
    assert(!faulty_inbox_misuse(inbox));
    receiving_fini(&r);
    buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faulty_inbox *inbox = faulty_inbox_new();
    struct bytes in = bytes_make(data, size);
    put_journal(faulty_inbox_journal(inbox), take_sized(&in));
    connect(inbox, bytes_first(in, in.len / 2));
    if (!faulty_inbox_is_cleared(inbox) && faulty_inbox_published(inbox) == 0)
        connect(inbox, bytes_from(in, in.len / 2));
    faulty_inbox_free(inbox);
    return 0;
}
