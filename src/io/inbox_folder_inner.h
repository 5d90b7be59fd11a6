#ifndef KITH_IO_INBOX_FOLDER_INNER_H
#define KITH_IO_INBOX_FOLDER_INNER_H

/* What the files of io/inbox_folder.h share. */

#include "io/beneath.h"
#include "io/inbox_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static inline struct inbox_folder *inbox_folder(struct inbox *i)
{
    return (struct inbox_folder *)i;
}

/* The name of a staged file. */
struct inbox_folder_number {
    char text[24];
};

static inline struct inbox_folder_number inbox_folder_number(uint64_t number)
{
    struct inbox_folder_number n;
    snprintf(n.text, sizeof n.text, "%" PRIu64, number);
    return n;
}

/* Of a call that says that a name cannot be. */
static inline bool inbox_folder_is_no_name(int r)
{
    return r == -EINVAL || r == -EILSEQ || r == -ENAMETOOLONG;
}

void inbox_folder_close_fd(int *fd);

/* inbox_folder_content.c: staged files, by number. */
int inbox_folder_stage(struct inbox *i, uint64_t number, bool fresh);
void inbox_folder_opened(struct inbox_folder *f, int fd, uint64_t number, bool made);
int inbox_folder_write(struct inbox *i, uint64_t offset, struct bytes data);
int inbox_folder_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                      size_t *ret_n);
int inbox_folder_complete(struct inbox *i, const struct transfer_entry *entry, uint64_t size);
int inbox_folder_drop(struct inbox *i, uint64_t number);
int inbox_folder_sync(struct inbox *i);

/* inbox_folder_tree.c: files in their places. */
int inbox_folder_place(struct inbox *i, const struct transfer_entry *entry);
int inbox_folder_placed(struct inbox *i);
int inbox_folder_begin(struct inbox *i, const struct transfer_entry *entry);
int inbox_folder_take_back(struct inbox *i, const struct transfer_entry *entry);
void inbox_folder_leave_all(struct inbox_folder *f);
int inbox_folder_innermost(const struct inbox_folder *f); /* a descriptor */

/* inbox_folder_publish.c: what lies at the top. */
int inbox_folder_check_name(struct inbox *i, struct bytes name);
int inbox_folder_publish(struct inbox *i, struct bytes name, char *ret_name);

#endif
