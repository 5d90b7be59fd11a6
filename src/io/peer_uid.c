#include "io/peer_uid.h"

#include "io/address.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool peer_uid_unix(int fd, uint32_t *ret_uid)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || len != sizeof cred)
        return false;
    *ret_uid = cred.uid;
    return true;
}

struct diag_request {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

/* One end of a connection, as sock_diag wants it. */
static void put_end(const struct address *end, uint32_t address[4], uint16_t *port)
{
    memcpy(address, end->is_v6 ? (const void *)&end->v6 : &end->v4,
           end->is_v6 ? sizeof end->v6 : sizeof end->v4);
    *port = htons(end->port);
}

/* Asks for the socket whose own end is our peer's, and whose peer is our end. */
static bool fill_request(int fd, struct diag_request *request)
{
    struct address theirs, ours;
    if (address_of_peer(fd, &theirs) < 0 || address_of_self(fd, &ours) < 0 ||
        theirs.is_v6 != ours.is_v6)
        return false;
    *request = (struct diag_request){
        .header = {.nlmsg_len = sizeof *request,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = theirs.is_v6 ? AF_INET6 : AF_INET,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = UINT32_MAX,
                 .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    struct inet_diag_sockid *id = &request->body.id;
    put_end(&theirs, id->idiag_src, &id->idiag_sport);
    put_end(&ours, id->idiag_dst, &id->idiag_dport);
    return true;
}

static bool read_answer(int netlink, const struct diag_request *request, uint32_t *ret_uid)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_msg body;
        char attributes[512];
    } answer;
    ssize_t n = recv(netlink, &answer, sizeof answer, 0);
    if (n < (ssize_t)(sizeof answer.header + sizeof answer.body) ||
        answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        answer.body.id.idiag_sport != request->body.id.idiag_sport ||
        answer.body.id.idiag_dport != request->body.id.idiag_dport ||
        answer.body.idiag_inode == 0)
        return false;
    *ret_uid = answer.body.idiag_uid;
    return true;
}

bool peer_uid_loopback(int fd, uint32_t *ret_uid)
{
    struct diag_request request;
    if (!fill_request(fd, &request))
        return false;
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return false;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    bool known = sendto(netlink, &request, sizeof request, 0, (struct sockaddr *)&kernel,
                        sizeof kernel) == sizeof request &&
                 read_answer(netlink, &request, ret_uid);
    close(netlink);
    return known;
}
