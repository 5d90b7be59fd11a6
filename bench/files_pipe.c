/* files-pipe SOURCE TARGET: what a file's way from one process to another costs with nothing
 * around it. Two processes, a TCP connection over loopback, TLS 1.3 with a key that both have
 * and TLS_AES_128_GCM_SHA256. One reads pieces of PIECE_BYTES, sums each with XXH3-128 and
 * writes it and its sum; the other sums each, compares, and writes it into TARGET,
 * over what that holds where it is there.
 * A JSON object on a line says how many bytes, in how many seconds from the end of the
 * handshake until the last was known to be written, and the processor time of both. */

#include "dial.h"

#include "base/sum.h"
#include "io/clock.h"
#include "tls/psk.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 256 * 1024,
    SUMMED_BYTES = PIECE_BYTES + SUM_BYTES,
    READ_AHEAD_BYTES = 64 * 1024,
    NS = 1000000000,
    US = 1000000
};

static uint8_t piece[SUMMED_BYTES];

static double cpu_s(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / US;
}

static int open_file(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        dial_fail(path);
    return fd;
}

static int listen_anywhere(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        dial_fail("listen");
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static SSL *agree(int fd, bool answers)
{
    static struct psk key = {.id = {{1}}, .key = {2}};
    SSL_CTX *c;
    errno = 0;
    if (fd < 0 || psk_context(&c, &key, answers) != 0)
        dial_fail("agree");
    SSL_CTX_set_default_read_buffer_len(c, READ_AHEAD_BYTES);
    SSL_CTX_set_read_ahead(c, 1);
    SSL *ssl = SSL_new(c);
    SSL_CTX_free(c);
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || (answers ? SSL_accept(ssl) : SSL_connect(ssl)) != 1)
        dial_fail("agree");
    return ssl;
}

/* As much of a piece and its sum as there is; 0: the other side has ended. */
static size_t read_piece(SSL *ssl)
{
    size_t have = 0, n;
    while (have < SUMMED_BYTES && SSL_read_ex(ssl, piece + have, SUMMED_BYTES - have, &n) == 1)
        have += n;
    return have;
}

static void write_out(int fd, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, piece + done, len - done);
        if (n < 0)
            dial_fail("write");
        done += (size_t)n;
    }
}

static void receive(SSL *ssl, int fd)
{
    uint8_t sum[SUM_BYTES];
    size_t len;
    while ((len = read_piece(ssl)) > SUM_BYTES) {
        len -= SUM_BYTES;
        sum_bytes(bytes_make(piece, len), 0, sum);
        errno = 0;
        if (memcmp(sum, piece + len, sizeof sum) != 0)
            dial_fail("another piece came than was sent");
        write_out(fd, len);
    }
    SSL_shutdown(ssl);
}

static size_t read_file(int fd)
{
    size_t have = 0;
    ssize_t n;
    while (have < PIECE_BYTES && (n = read(fd, piece + have, PIECE_BYTES - have)) != 0) {
        if (n < 0)
            dial_fail("read");
        have += (size_t)n;
    }
    return have;
}

static uint64_t send_all(SSL *ssl, int fd)
{
    uint64_t sent = 0;
    for (size_t len, n; (len = read_file(fd)) > 0; sent += len) {
        sum_bytes(bytes_make(piece, len), 0, piece + len);
        if (SSL_write_ex(ssl, piece, len + SUM_BYTES, &n) != 1)
            dial_fail("SSL_write");
    }
    return sent;
}

/* Says that it was all, and waits until the other side has said so, too. */
static void await_end(SSL *ssl)
{
    uint8_t byte;
    size_t n;
    SSL_shutdown(ssl);
    if (SSL_read_ex(ssl, &byte, sizeof byte, &n) == 1 ||
        (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) == 0)
        dial_fail("the other side did not end as it should");
}

int main(int argc, char **argv)
{
    uint16_t port;
    if (argc != 3)
        dial_fail("files-pipe SOURCE TARGET");
    int source = open_file(argv[1], O_RDONLY), listener = listen_anywhere(&port);
    int target = open_file(argv[2], O_WRONLY | O_CREAT);
    pid_t other = fork();
    if (other < 0)
        dial_fail("fork");
    if (other == 0) {
        receive(agree(accept(listener, NULL, NULL), true), target);
        exit(0);
    }
    SSL *ssl = agree(dial(port), false);
    struct instant start = clock_instant();
    uint64_t sent = send_all(ssl, source);
    await_end(ssl);
    double seconds = (double)(clock_instant().ns - start.ns) / NS;
    waitpid(other, NULL, 0);
    printf("{\"bytes\": %llu, \"seconds\": %.6f, \"sends_s\": %.6f, \"receives_s\": %.6f}\n",
           (unsigned long long)sent, seconds, cpu_s(RUSAGE_SELF), cpu_s(RUSAGE_CHILDREN));
    return 0;
}
