/* What a sender who breaks the rules does to who receives: nothing, but that it is over. The
 * carrier is the real one, a process of its own (hostile_world.h); its program's path is the
 * first argument. */

#include "hostile_world.h"

#include <inttypes.h>

static const char *program;

/* ---- what is said against the rules ---- */

struct attack {
    const char *name;
    void (*say)(struct hostile_world *w);
    enum transfer_reason reason; /* for which it is over */
    struct hostile_terms terms;  /* zeroed: the usual ones */
};

/* Names */

static void say_named(struct hostile_world *w, struct bytes name)
{
    hostile_say_entry(w, TRANSFER_ENTRY, 0, TRANSFER_FILE, 0, 3, name);
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static const char long_name[4096] = {[0 ... 4095] = 'a'};

static void say_parent(struct hostile_world *w)
{
    say_named(w, BYTES(".."));
}

static void say_itself(struct hostile_world *w)
{
    say_named(w, BYTES("."));
}

static void say_no_name(struct hostile_world *w)
{
    say_named(w, BYTES(""));
}

static void say_path(struct hostile_world *w)
{
    say_named(w, BYTES("a/b"));
}

static void say_path_out(struct hostile_world *w)
{
    say_named(w, BYTES("../outside/precious"));
}

static void say_absolute(struct hostile_world *w)
{
    say_named(w, BYTES("/etc/x"));
}

static void say_nul(struct hostile_world *w)
{
    say_named(w, BYTES("a\0b"));
}

static void say_nul_behind_parent(struct hostile_world *w)
{
    say_named(w, BYTES("..\0b"));
}

static void say_name_of_256(struct hostile_world *w)
{
    say_named(w, bytes_make(long_name, 256));
}

static void say_name_of_4096(struct hostile_world *w)
{
    say_named(w, bytes_make(long_name, 4096));
}

static void say_staging(struct hostile_world *w)
{
    say_named(w, BYTES(".kith"));
}

static void say_staging_in_capitals(struct hostile_world *w)
{
    say_named(w, BYTES(".KITH"));
}

static void say_parent_within(struct hostile_world *w)
{
    hostile_folder(w, 0, 0, "d");
    hostile_whole_file(w, 1, 1, "..");
    hostile_end(w, 2, 3);
}

static void say_parent_as_folder(struct hostile_world *w)
{
    hostile_folder(w, 0, 0, "..");
    hostile_folder(w, 1, 1, "outside");
    hostile_whole_file(w, 2, 2, "precious");
    hostile_end(w, 3, 3);
}

static void say_two_files(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_whole_file(w, 1, 0, "a");
    hostile_end(w, 2, 6);
}

static void say_file_and_folder(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_folder(w, 1, 0, "a");
    hostile_end(w, 2, 3);
}

static void say_folder_and_file(struct hostile_world *w)
{
    hostile_folder(w, 0, 0, "a");
    hostile_whole_file(w, 1, 0, "a");
    hostile_end(w, 2, 3);
}

/* Depth */

static void say_depth_from_nothing(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 1, "a");
    hostile_end(w, 1, 3);
}

static void say_depth_jump(struct hostile_world *w)
{
    hostile_folder(w, 0, 0, "d");
    hostile_whole_file(w, 1, 2, "a");
    hostile_end(w, 2, 3);
}

static void say_below_a_file(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_whole_file(w, 1, 1, "b");
    hostile_end(w, 2, 6);
}

static void say_deeper_than_may_be(struct hostile_world *w)
{
    for (unsigned depth = 0; depth <= LIMIT_TRANSFER_DEPTH; depth++)
        hostile_folder(w, depth, depth, "d");
    hostile_end(w, LIMIT_TRANSFER_DEPTH + 1, 0);
}

/* Folders in one another whose path is so long; how many. */
static unsigned say_path_of(struct hostile_world *w, size_t len)
{
    unsigned depth = 0;
    while (len > 0) {
        size_t n = len > 255 + 1 ? 255 : len > 255 ? 100 : len;
        hostile_say_entry(w, TRANSFER_ENTRY, depth, TRANSFER_FOLDER, depth, 0,
                          bytes_make(long_name, n));
        depth++;
        len -= len > n ? n + 1 : n;
    }
    return depth;
}

static void say_path_too_long(struct hostile_world *w)
{
    hostile_end(w, say_path_of(w, LIMIT_TRANSFER_PATH_BYTES + 1), 0);
}

static void say_beyond_the_longest_path(struct hostile_world *w)
{
    unsigned n = say_path_of(w, LIMIT_TRANSFER_PATH_BYTES);
    hostile_say_entry(w, TRANSFER_ENTRY, n, TRANSFER_FOLDER, n, 0, bytes_make(long_name, 255));
    hostile_end(w, n + 1, 0);
}

/* Numbers */

static void say_first_number_not_0(struct hostile_world *w)
{
    hostile_whole_file(w, 1, 0, "a");
    hostile_end(w, 1, 3);
}

static void say_number_left_out(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_whole_file(w, 2, 0, "b");
    hostile_end(w, 2, 6);
}

static void say_number_again(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_whole_file(w, 0, 0, "b");
    hostile_end(w, 2, 6);
}

static void say_last_number_of_all(struct hostile_world *w)
{
    hostile_whole_file(w, UINT64_MAX, 0, "a");
    hostile_end(w, 0, 3);
}

static void say_entry_within_another(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    hostile_whole_file(w, 1, 0, "b");
    hostile_end(w, 2, 3);
}

static void say_strange_kind(struct hostile_world *w)
{
    hostile_say_entry(w, TRANSFER_ENTRY, 0, (enum transfer_kind)'l', 0, 3, BYTES("a"));
    hostile_chunk(w, 0, 0, BYTES("/et"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_folder_with_size(struct hostile_world *w)
{
    hostile_say_entry(w, TRANSFER_ENTRY, 0, TRANSFER_FOLDER, 0, 3, BYTES("a"));
    hostile_end(w, 1, 0);
}

/* Sizes and offsets */

static void say_more_than_its_size(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 2, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_less_than_its_size(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 4, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_whole_of_less(struct hostile_world *w)
{
    hostile_file(w, 0, 0, TRANSFER_SIZE_UNKNOWN, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 2);
    hostile_end(w, 1, 3);
}

static void say_whole_of_more(struct hostile_world *w)
{
    hostile_file(w, 0, 0, TRANSFER_SIZE_UNKNOWN, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, (uint64_t)INT64_MAX);
    hostile_end(w, 1, 3);
}

static void say_whole_at_once(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_chunk_at(struct hostile_world *w, uint64_t size, uint64_t offset)
{
    hostile_file(w, 0, 0, size, "a");
    hostile_chunk(w, 0, offset, BYTES("new"));
    hostile_whole(w, 0, offset + 3);
    hostile_end(w, 1, offset + 3);
}

static void say_offset_within_a_chunk(struct hostile_world *w)
{
    say_chunk_at(w, 4, 1);
}

static void say_offset_ahead(struct hostile_world *w)
{
    say_chunk_at(w, TRANSFER_CHUNK_BYTES + 3, TRANSFER_CHUNK_BYTES);
}

static void say_offset_past_the_end(struct hostile_world *w)
{
    say_chunk_at(w, 3, TRANSFER_CHUNK_BYTES);
}

static void say_offset_near_2_to_63(struct hostile_world *w)
{
    say_chunk_at(w, TRANSFER_SIZE_UNKNOWN, (UINT64_C(1) << 63) - TRANSFER_CHUNK_BYTES);
}

static void say_offset_near_2_to_64(struct hostile_world *w)
{
    say_chunk_at(w, TRANSFER_SIZE_UNKNOWN, 0 - (uint64_t)TRANSFER_CHUNK_BYTES);
}

static void say_chunk_twice(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_chunk(w, 0, 0, BYTES("old"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 6);
}

static void say_short_chunk_not_last(struct hostile_world *w)
{
    hostile_file(w, 0, 0, TRANSFER_SIZE_UNKNOWN, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_chunk(w, 0, TRANSFER_CHUNK_BYTES, BYTES("new"));
    hostile_whole(w, 0, TRANSFER_CHUNK_BYTES + 3);
    hostile_end(w, 1, TRANSFER_CHUNK_BYTES + 3);
}

static void say_chunk_of_nothing(struct hostile_world *w)
{
    hostile_file(w, 0, 0, TRANSFER_SIZE_UNKNOWN, "a");
    hostile_chunk(w, 0, 0, BYTES(""));
    hostile_whole(w, 0, 0);
    hostile_end(w, 1, 0);
}

static void say_chunk_too_long(struct hostile_world *w)
{
    static const char zeros[TRANSFER_CHUNK_BYTES + 1];
    hostile_file(w, 0, 0, sizeof zeros, "a");
    hostile_chunk(w, 0, 0, bytes_make(zeros, sizeof zeros));
    hostile_whole(w, 0, sizeof zeros);
    hostile_end(w, 1, sizeof zeros);
}

static void say_chunk_of_nobody(struct hostile_world *w)
{
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_end(w, 0, 3);
}

static void say_chunk_of_a_folder(struct hostile_world *w)
{
    hostile_folder(w, 0, 0, "d");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_end(w, 1, 3);
}

static void say_chunk_of_another(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_file(w, 1, 0, 3, "b");
    hostile_chunk(w, 0, 0, BYTES("old"));
    hostile_whole(w, 1, 3);
    hostile_end(w, 2, 6);
}

static void say_hole_at(struct hostile_world *w, uint64_t size, uint64_t offset, uint64_t len)
{
    hostile_file(w, 0, 0, size, "a");
    hostile_numbers(w, TRANSFER_HOLE, 3, 0, offset, len);
    hostile_whole(w, 0, offset + len);
    hostile_end(w, 1, offset + len);
}

static void say_hole_of_nothing(struct hostile_world *w)
{
    say_hole_at(w, 0, 0, 0);
}

static void say_hole_past_the_end(struct hostile_world *w)
{
    say_hole_at(w, TRANSFER_CHUNK_BYTES, 0, TRANSFER_CHUNK_BYTES + 1);
}

static void say_hole_absurd(struct hostile_world *w)
{
    say_hole_at(w, TRANSFER_SIZE_UNKNOWN, 0, (uint64_t)INT64_MAX);
}

static void say_hole_longer_than_2_to_63(struct hostile_world *w)
{
    say_hole_at(w, TRANSFER_SIZE_UNKNOWN, 0, UINT64_MAX);
}

static void say_hole_over_the_edge(struct hostile_world *w)
{
    say_hole_at(w, TRANSFER_SIZE_UNKNOWN, TRANSFER_CHUNK_BYTES, (uint64_t)INT64_MAX);
}

/* Totals */

static void say_one_entry(struct hostile_world *w)
{
    say_named(w, BYTES("a"));
}

static void say_two_entries(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_whole_file(w, 1, 0, "b");
    hostile_end(w, 2, 6);
}

static void say_size_absurd(struct hostile_world *w)
{
    hostile_file(w, 0, 0, (uint64_t)INT64_MAX, "a");
}

static void say_size_near_2_to_64(struct hostile_world *w)
{
    hostile_file(w, 0, 0, UINT64_MAX - 1, "a");
}

static void say_sizes_that_wrap(struct hostile_world *w)
{
    say_size_absurd(w);
    hostile_numbers(w, TRANSFER_HOLE, 3, 0, 0, (uint64_t)INT64_MAX);
    hostile_whole(w, 0, (uint64_t)INT64_MAX);
    hostile_file(w, 1, 0, (uint64_t)INT64_MAX, "b");
}

static void say_entries_without_end(struct hostile_world *w)
{
    char name[24];
    for (uint64_t n = 0; n < 2000; n++) {
        snprintf(name, sizeof name, "%" PRIu64, n);
        hostile_folder(w, n, 0, name);
    }
    hostile_end(w, 2000, 0);
}

static void say_content_without_end(struct hostile_world *w)
{
    static const char data[TRANSFER_CHUNK_BYTES];
    hostile_file(w, 0, 0, TRANSFER_SIZE_UNKNOWN, "a");
    for (uint64_t n = 0; n < 8; n++)
        hostile_chunk(w, 0, n * sizeof data, bytes_make(data, sizeof data));
    hostile_whole(w, 0, 8 * sizeof data);
    hostile_end(w, 1, 8 * sizeof data);
}

/* Again and over */

static void say_afresh_of_nothing(struct hostile_world *w)
{
    hostile_afresh(w, 0, 3, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_afresh_of_an_old_one(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_file(w, 1, 0, 3, "b");
    hostile_afresh(w, 0, 3, "a");
    hostile_end(w, 2, 3);
}

static void say_afresh_of_another_name(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    hostile_afresh(w, 0, 3, "b");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_afresh_without_end(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    for (unsigned i = 0; i <= LIMIT_TRANSFER_AGAIN; i++)
        hostile_afresh(w, 0, 3, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_whole_twice(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_whole_of_nothing(struct hostile_world *w)
{
    hostile_whole(w, 0, 0);
    hostile_end(w, 0, 0);
}

static void say_dropped(struct hostile_world *w, uint64_t number, uint8_t reason)
{
    uint8_t payload[9] = {0};
    number_put_be64(payload, number);
    payload[8] = reason;
    hostile_say(w, TRANSFER_DROPPED, bytes_make(payload, sizeof payload));
}

static void say_dropped_of_nothing(struct hostile_world *w)
{
    say_dropped(w, 0, TRANSFER_SOURCE_GONE);
    hostile_end(w, 0, 0);
}

static void say_dropped_when_whole(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    say_dropped(w, 0, TRANSFER_SOURCE_GONE);
    hostile_end(w, 1, 3);
}

static void say_dropped_for_nothing(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    say_dropped(w, 0, TRANSFER_REASON_NONE);
    hostile_end(w, 1, 0);
}

static void say_end_within(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_end(w, 1, 3);
}

static void say_end_of_more(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_end(w, 2, 3);
}

static void say_end_of_fewer_bytes(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_end(w, 1, 2);
}

static void say_end_twice(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_end(w, 1, 3);
    hostile_end(w, 1, 3);
}

static void say_entry_after_the_end(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_end(w, 1, 3);
    hostile_whole_file(w, 1, 0, "b");
}

static void say_chunk_after_the_end(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_end(w, 1, 3);
    hostile_chunk(w, 0, 0, BYTES("old"));
}

/* Sums */

static void say_wrong_sum(struct hostile_world *w)
{
    hostile_file(w, 0, 0, 3, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    w->out.data[w->out.end - 1] ^= 1;
    hostile_whole(w, 0, 3);
    hostile_end(w, 1, 3);
}

static void say_sha256(struct hostile_world *w)
{
    uint8_t payload[16 + TRANSFER_SHA256_BYTES] = {0};
    number_put_be64(payload + 8, 3);
    hostile_file(w, 0, 0, 3, "a");
    hostile_chunk(w, 0, 0, BYTES("new"));
    hostile_say(w, TRANSFER_WHOLE, bytes_make(payload, sizeof payload));
    hostile_end(w, 1, 3);
}

/* Frames */

static void say_frame_without_end(struct hostile_world *w)
{
    buffer_append_bytes(&w->out, BYTES("\xff\xff\xff\xff\2"));
}

static void say_frame_a_byte_too_long(struct hostile_world *w)
{
    uint8_t head[5] = {[4] = 200}; /* of a type that would be passed over */
    number_put_be32(head, TRANSFER_CHUNK_BYTES + 65);
    buffer_append_bytes(&w->out, bytes_make(head, sizeof head));
}

static void say_what_receivers_say(struct hostile_world *w)
{
    hostile_say(w, TRANSFER_DONE, BYTES(""));
    hostile_end(w, 0, 0);
}

static void say_kept(struct hostile_world *w)
{
    hostile_numbers(w, TRANSFER_KEPT, 3, 0, 0, 0);
    hostile_end(w, 0, 0);
}

static void say_again(struct hostile_world *w)
{
    hostile_numbers(w, TRANSFER_AGAIN, 2, 0, 0, 0);
    hostile_end(w, 0, 0);
}

static void say_stop(struct hostile_world *w)
{
    hostile_whole_file(w, 0, 0, "a");
    hostile_say(w, TRANSFER_STOP, BYTES("\3"));
    hostile_end(w, 1, 3);
}

static void say_stop_for_nothing(struct hostile_world *w)
{
    hostile_say(w, TRANSFER_STOP, BYTES("\0"));
}

#define BOUNDLESS                                                                 \
    {                                                                             \
        .rule = INBOX_RENAME, .cap = LIMIT_MIB, .entries = TRANSFER_SIZE_UNKNOWN, \
        .bytes = TRANSFER_SIZE_UNKNOWN                                            \
    }
#define OFFERED(of_entries, of_bytes)                                                         \
    {                                                                                         \
        .rule = INBOX_RENAME, .cap = UINT64_MAX, .entries = (of_entries), .bytes = (of_bytes) \
    }

static const struct attack attacks[] = {
    {.name = "name: ..", .say = say_parent, .reason = TRANSFER_BROKEN},
    {.name = "name: .", .say = say_itself, .reason = TRANSFER_BROKEN},
    {.name = "name: none", .say = say_no_name, .reason = TRANSFER_BROKEN},
    {.name = "name: a/b", .say = say_path, .reason = TRANSFER_BROKEN},
    {.name = "name: ../outside/precious", .say = say_path_out, .reason = TRANSFER_BROKEN},
    {.name = "name: /etc/x", .say = say_absolute, .reason = TRANSFER_BROKEN},
    {.name = "name: with NUL", .say = say_nul, .reason = TRANSFER_BROKEN},
    {.name = "name: .. and NUL", .say = say_nul_behind_parent, .reason = TRANSFER_BROKEN},
    {.name = "name: 256 bytes", .say = say_name_of_256, .reason = TRANSFER_BROKEN},
    {.name = "name: 4096 bytes", .say = say_name_of_4096, .reason = TRANSFER_BROKEN},
    {.name = "name: .kith", .say = say_staging, .reason = TRANSFER_NAME_REFUSED},
    {.name = "name: .KITH", .say = say_staging_in_capitals, .reason = TRANSFER_NAME_REFUSED},
    {.name = "name: .. in a folder", .say = say_parent_within, .reason = TRANSFER_BROKEN},
    {.name = "name: .. of a folder", .say = say_parent_as_folder, .reason = TRANSFER_BROKEN},
    {.name = "two files of one name", .say = say_two_files, .reason = TRANSFER_NAME_REFUSED},
    {.name = "file and folder of one name",
     .say = say_file_and_folder,
     .reason = TRANSFER_NAME_REFUSED},
    {.name = "folder and file of one name",
     .say = say_folder_and_file,
     .reason = TRANSFER_NAME_REFUSED},
    {.name = "depth: 1 first", .say = say_depth_from_nothing, .reason = TRANSFER_BROKEN},
    {.name = "depth: 0, 2", .say = say_depth_jump, .reason = TRANSFER_BROKEN},
    {.name = "depth: below a file", .say = say_below_a_file, .reason = TRANSFER_BROKEN},
    {.name = "depth: one more than may be",
     .say = say_deeper_than_may_be,
     .reason = TRANSFER_BROKEN,
     .terms = OFFERED(99, 0)},
    {.name = "path: too long",
     .say = say_path_too_long,
     .reason = TRANSFER_BROKEN,
     .terms = OFFERED(99, 0)},
    {.name = "path: beyond the longest",
     .say = say_beyond_the_longest_path,
     .reason = TRANSFER_BROKEN,
     .terms = OFFERED(99, 0)},
    {.name = "number: 1 first", .say = say_first_number_not_0, .reason = TRANSFER_BROKEN},
    {.name = "number: 0, 2", .say = say_number_left_out, .reason = TRANSFER_BROKEN},
    {.name = "number: 0, 0", .say = say_number_again, .reason = TRANSFER_BROKEN},
    {.name = "number: the last of all",
     .say = say_last_number_of_all,
     .reason = TRANSFER_BROKEN},
    {.name = "entry within another",
     .say = say_entry_within_another,
     .reason = TRANSFER_BROKEN},
    {.name = "kind: a link", .say = say_strange_kind, .reason = TRANSFER_BROKEN},
    {.name = "folder with a size", .say = say_folder_with_size, .reason = TRANSFER_BROKEN},
    {.name = "size: more comes", .say = say_more_than_its_size, .reason = TRANSFER_BROKEN},
    {.name = "size: less comes", .say = say_less_than_its_size, .reason = TRANSFER_BROKEN},
    {.name = "WHOLE of less", .say = say_whole_of_less, .reason = TRANSFER_BROKEN},
    {.name = "WHOLE of more", .say = say_whole_of_more, .reason = TRANSFER_BROKEN},
    {.name = "WHOLE before content", .say = say_whole_at_once, .reason = TRANSFER_BROKEN},
    {.name = "offset: within a chunk",
     .say = say_offset_within_a_chunk,
     .reason = TRANSFER_BROKEN},
    {.name = "offset: ahead", .say = say_offset_ahead, .reason = TRANSFER_BROKEN},
    {.name = "offset: past the end", .say = say_offset_past_the_end, .reason = TRANSFER_BROKEN},
    {.name = "offset: near 2^63", .say = say_offset_near_2_to_63, .reason = TRANSFER_BROKEN},
    {.name = "offset: near 2^64", .say = say_offset_near_2_to_64, .reason = TRANSFER_BROKEN},
    {.name = "chunk twice", .say = say_chunk_twice, .reason = TRANSFER_BROKEN},
    {.name = "chunk: short, not the last",
     .say = say_short_chunk_not_last,
     .reason = TRANSFER_BROKEN},
    {.name = "chunk: empty", .say = say_chunk_of_nothing, .reason = TRANSFER_BROKEN},
    {.name = "chunk: too long", .say = say_chunk_too_long, .reason = TRANSFER_BROKEN},
    {.name = "chunk of nobody", .say = say_chunk_of_nobody, .reason = TRANSFER_BROKEN},
    {.name = "chunk of a folder", .say = say_chunk_of_a_folder, .reason = TRANSFER_BROKEN},
    {.name = "chunk of another", .say = say_chunk_of_another, .reason = TRANSFER_BROKEN},
    {.name = "hole: empty", .say = say_hole_of_nothing, .reason = TRANSFER_BROKEN},
    {.name = "hole: past the end", .say = say_hole_past_the_end, .reason = TRANSFER_BROKEN},
    {.name = "hole: 2^63 - 1", .say = say_hole_absurd, .reason = TRANSFER_TOO_MUCH},
    {.name = "hole: 2^64 - 1", .say = say_hole_longer_than_2_to_63, .reason = TRANSFER_BROKEN},
    {.name = "hole: over 2^63", .say = say_hole_over_the_edge, .reason = TRANSFER_BROKEN},
    {.name = "totals: an entry more",
     .say = say_two_entries,
     .reason = TRANSFER_BROKEN,
     .terms = OFFERED(1, 6)},
    {.name = "totals: a byte more",
     .say = say_two_entries,
     .reason = TRANSFER_BROKEN,
     .terms = OFFERED(2, 5)},
    {.name = "totals: unknown, 2^63",
     .say = say_size_absurd,
     .reason = TRANSFER_TOO_MUCH,
     .terms = BOUNDLESS},
    {.name = "totals: unknown, 2^64 - 2",
     .say = say_size_near_2_to_64,
     .reason = TRANSFER_BROKEN,
     .terms = BOUNDLESS},
    {.name = "totals: sizes that wrap",
     .say = say_sizes_that_wrap,
     .reason = TRANSFER_TOO_MUCH,
     .terms = BOUNDLESS},
    {.name = "totals: offered 2^63",
     .say = say_one_entry,
     .reason = TRANSFER_NO_ROOM,
     .terms = OFFERED(1, UINT64_C(1) << 63)},
    {.name = "totals: offered 2^64 - 2",
     .say = say_one_entry,
     .reason = TRANSFER_NO_ROOM,
     .terms = OFFERED(1, UINT64_MAX - 1)},
    {.name = "entries without end",
     .say = say_entries_without_end,
     .reason = TRANSFER_TOO_MUCH,
     .terms = BOUNDLESS},
    {.name = "content without end",
     .say = say_content_without_end,
     .reason = TRANSFER_TOO_MUCH,
     .terms = BOUNDLESS},
    {.name = "AFRESH of nothing", .say = say_afresh_of_nothing, .reason = TRANSFER_BROKEN},
    {.name = "AFRESH of an old one",
     .say = say_afresh_of_an_old_one,
     .reason = TRANSFER_BROKEN},
    {.name = "AFRESH of another name",
     .say = say_afresh_of_another_name,
     .reason = TRANSFER_BROKEN},
    {.name = "AFRESH without end", .say = say_afresh_without_end, .reason = TRANSFER_BROKEN},
    {.name = "WHOLE twice", .say = say_whole_twice, .reason = TRANSFER_BROKEN},
    {.name = "WHOLE of nothing", .say = say_whole_of_nothing, .reason = TRANSFER_BROKEN},
    {.name = "DROPPED: nothing", .say = say_dropped_of_nothing, .reason = TRANSFER_BROKEN},
    {.name = "DROPPED: whole", .say = say_dropped_when_whole, .reason = TRANSFER_BROKEN},
    {.name = "DROPPED for nothing", .say = say_dropped_for_nothing, .reason = TRANSFER_BROKEN},
    {.name = "END within a file", .say = say_end_within, .reason = TRANSFER_BROKEN},
    {.name = "END of more", .say = say_end_of_more, .reason = TRANSFER_BROKEN},
    {.name = "END of fewer bytes", .say = say_end_of_fewer_bytes, .reason = TRANSFER_BROKEN},
    {.name = "END twice", .say = say_end_twice, .reason = TRANSFER_BROKEN},
    {.name = "ENTRY after END", .say = say_entry_after_the_end, .reason = TRANSFER_BROKEN},
    {.name = "CHUNK after END", .say = say_chunk_after_the_end, .reason = TRANSFER_BROKEN},
    {.name = "sum: wrong", .say = say_wrong_sum, .reason = TRANSFER_BROKEN},
    {.name = "SHA-256: unasked", .say = say_sha256, .reason = TRANSFER_BROKEN},
    {.name = "SHA-256: wrong",
     .say = say_sha256,
     .reason = TRANSFER_DIFFERS,
     .terms = {.sha256 = true, .cap = LIMIT_MIB, .entries = 1, .bytes = 3}},
    {.name = "SHA-256: missing",
     .say = say_one_entry,
     .reason = TRANSFER_BROKEN,
     .terms = {.sha256 = true, .cap = LIMIT_MIB, .entries = 1, .bytes = 3}},
    {.name = "frame: 4 GiB", .say = say_frame_without_end, .reason = TRANSFER_BROKEN},
    {.name = "frame: a byte too long",
     .say = say_frame_a_byte_too_long,
     .reason = TRANSFER_BROKEN},
    {.name = "DONE of a sender", .say = say_what_receivers_say, .reason = TRANSFER_BROKEN},
    {.name = "KEPT of a sender", .say = say_kept, .reason = TRANSFER_BROKEN},
    {.name = "AGAIN of a sender", .say = say_again, .reason = TRANSFER_BROKEN},
    {.name = "STOP", .say = say_stop, .reason = TRANSFER_PAUSED},
    {.name = "STOP for nothing", .say = say_stop_for_nothing, .reason = TRANSFER_BROKEN},
};

static struct hostile_terms terms_of(const struct attack *a)
{
    return a->terms.cap > 0 ? a->terms : hostile_usual;
}

static void test_attack(void **state)
{
    const struct attack *a = *state;
    struct hostile_terms terms = terms_of(a);
    struct hostile_world *w = hostile_make(program);
    hostile_connect(w, &terms);
    a->say(w);
    hostile_part(w);
    hostile_expect_end(w, CARRIER_STOPPED, a->reason);
    assert_string_equal(w->published, "");
    hostile_expect_inbox(w, 0);
    hostile_free(w);
}

/* ---- the rest ---- */

static int make_world(void **state)
{
    *state = hostile_make(program);
    return 0;
}

static int free_world(void **state)
{
    hostile_free(*state);
    return 0;
}

/* Every message, each byte of it left out at the end. */
static void test_messages_cut_short(void **state)
{
    static const struct {
        uint8_t type, len;
    } shapes[] = {{TRANSFER_ENTRY, 33}, {TRANSFER_AFRESH, 33}, {TRANSFER_CHUNK, 33},
                  {TRANSFER_HOLE, 24},  {TRANSFER_WHOLE, 16},  {TRANSFER_DROPPED, 9},
                  {TRANSFER_END, 16},   {TRANSFER_STOP, 1}};
    static const uint8_t zeros[64];
    struct hostile_world *w = *state;
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        hostile_connect(w, &hostile_usual);
        hostile_say(w, shapes[i].type, bytes_make(zeros, shapes[i].len - 1u));
        hostile_part(w);
        hostile_expect_end(w, CARRIER_STOPPED, TRANSFER_BROKEN);
    }
    hostile_expect_inbox(w, 0);
}

/* Of a later version, each of no length; among many. */
static void test_strange_messages_are_passed_over(void **state)
{
    struct hostile_world *w = *state;
    hostile_connect(w, &hostile_usual);
    for (unsigned i = 0; i < 200 * 1000; i++)
        hostile_say(w, (uint8_t)(100 + i % 100), BYTES(""));
    say_named(w, BYTES("a"));
    hostile_part(w);
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    scratch_expect(w->scratch, "inbox/a", BYTES("new"));
    hostile_expect_inbox(w, 1);
}

static void test_hidden_names_are_shown(void **state)
{
    struct hostile_world *w = *state;
    hostile_connect(w, &hostile_usual);
    hostile_whole_file(w, 0, 0, ".bashrc");
    hostile_whole_file(w, 1, 0, "_bashrc");
    hostile_folder(w, 2, 0, ".ssh");
    hostile_whole_file(w, 3, 1, ".x");
    hostile_end(w, 4, 9);
    hostile_part(w);
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    assert_string_equal(w->published, "_bashrc _bashrc (2) _ssh ");
    scratch_expect(w->scratch, "inbox/_ssh/.x", BYTES("new"));
    hostile_expect_inbox(w, 3);
}

static void test_names_are_kept_and_told_raw(void **state)
{
    struct hostile_world *w = *state;
    hostile_connect(w, &hostile_usual);
    hostile_whole_file(w, 0, 0, "\33[31ma\n\xff");
    hostile_whole_file(w, 1, 0, "Case");
    hostile_whole_file(w, 2, 0, "case");
    hostile_end(w, 3, 9);
    hostile_part(w);
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    assert_string_equal(w->published, "\33[31ma\n\xff Case case ");
    scratch_expect(w->scratch, "inbox/\33[31ma\n\xff", BYTES("new"));
    hostile_expect_inbox(w, 3);
}

/* ---- strangers ---- */

static void expect_stranger(struct hostile_world *w)
{
    hostile_await_end(w);
    hostile_expect_end(w, CARRIER_CUT, TRANSFER_REASON_NONE);
    hostile_expect_inbox(w, 0);
}

static void test_another_secret(void **state)
{
    static const uint8_t other[TRANSFER_SECRET_BYTES] = "said over another session";
    struct hostile_world *w = *state;
    hostile_start(w, &hostile_usual);
    assert_int_not_equal(hostile_try_agree(w, &hostile_id, other), 0);
    expect_stranger(w);
}

static void test_another_id(void **state)
{
    static const struct random_id other = {{1}};
    struct hostile_world *w = *state;
    hostile_start(w, &hostile_usual);
    assert_int_not_equal(hostile_try_agree(w, &other, hostile_secret), 0);
    expect_stranger(w);
}

static void test_no_tls(void **state)
{
    struct hostile_world *w = *state;
    hostile_start(w, &hostile_usual);
    assert_int_equal(send(w->socket, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    expect_stranger(w);
    close(w->socket);
}

static void test_a_cut_publishes_nothing(void **state)
{
    struct hostile_world *w = *state;
    hostile_connect(w, &hostile_usual);
    hostile_whole_file(w, 0, 0, "a");
    hostile_send(w);
    hostile_cut(w);
    hostile_expect_end(w, CARRIER_CUT, TRANSFER_REASON_NONE);
    hostile_expect_inbox(w, 0);
}

static void test_who_never_reads(void **state)
{
    struct hostile_world *w = *state;
    hostile_connect(w, &hostile_usual);
    say_named(w, BYTES("a"));
    hostile_send(w);
    secret_stream_end(&w->stream);
    hostile_await_end(w);
    hostile_expect_end(w, CARRIER_DONE, TRANSFER_REASON_NONE);
    hostile_expect_inbox(w, 1);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest hostile[COUNT_OF(attacks)];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages_cut_short, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_strange_messages_are_passed_over, make_world,
                                        free_world),
        cmocka_unit_test_setup_teardown(test_hidden_names_are_shown, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_names_are_kept_and_told_raw, make_world,
                                        free_world),
        cmocka_unit_test_setup_teardown(test_another_secret, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_another_id, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_no_tls, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_a_cut_publishes_nothing, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_who_never_reads, make_world, free_world),
    };
    assert(argc == 2);
    program = argv[1];
    for (size_t i = 0; i < COUNT_OF(attacks); i++)
        hostile[i] = (struct CMUnitTest){.name = attacks[i].name,
                                         .test_func = test_attack,
                                         .initial_state = (void *)(uintptr_t)&attacks[i]};
    return cmocka_run_group_tests(hostile, NULL, NULL) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
