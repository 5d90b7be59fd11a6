#ifndef KITH_WIRE_FIELD_H
#define KITH_WIRE_FIELD_H

/* A message of fields, one after the other: the length, 32 bits, little-endian; that many
 * bytes. Numbers are 8 bytes, little-endian. For what stays on one machine: between our own
 * processes, and in our own files. */

#include "base/buffer.h"

/* -ENOMEM, BUFFER_FULL. */
int field_append(struct buffer *out, struct bytes field);
int field_append_number(struct buffer *out, uint64_t number);

/* The next field of *rest, which moves past it; false, and nothing has changed, where there is
 * no whole one, or it is no number. */
bool field_next(struct bytes *rest, struct bytes *ret);
bool field_next_number(struct bytes *rest, uint64_t *ret);

/* The next field as a text for C: cut where it is longer than cap - 1, false where it holds a
 * NUL. */
bool field_next_text(struct bytes *rest, char *out, size_t cap);

#endif
