#include "io/problem.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <uv.h>

/* Those that people meet, in our words; the others in the C library's. */
static const struct {
    int error;
    const char *words;
} known[] = {
    {-EACCES, "permission denied"},
    {-EADDRINUSE, "the address is taken"},
    {-EADDRNOTAVAIL, "it is no address of this machine"},
    {-EBADF, "it is closed"},
    {-EDQUOT, "the disk quota is used up"},
    {-EEXIST, "it is there already"},
    {-EFBIG, "it is too large"},
    {-EHOSTUNREACH, "the host cannot be reached"},
    {-EIO, "input/output error"},
    {-EISDIR, "it is a folder"},
    {-ELOOP, "it is a symbolic link, or there are too many on the way"},
    {-EMFILE, "too many open files"},
    {-ENAMETOOLONG, "the name is too long"},
    {-ENETUNREACH, "the network cannot be reached"},
    {-ENFILE, "too many open files"},
    {-ENOENT, "no such file or folder"},
    {-ENOMEM, "out of memory"},
    {-ENOSPC, "the disk is full"},
    {-ENOTDIR, "it is not a folder, or not in one"},
    {-EPERM, "permission denied"},
    {-EROFS, "the file system is read-only"},
    {UV_EAI_AGAIN, "the name could not be looked up"},
    {UV_EAI_NONAME, "no such host"},
};

const char *problem_text(int error)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].error == error)
            return known[i].words;
    }
    const char *words = strerrordesc_np(-error);
    return words ? words : "an unknown error";
}
