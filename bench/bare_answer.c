/* bare-answer PORT: answers "+OK" to every command. The floor of a server on a libuv loop. */

#include "responder.h"

#include <errno.h>

int main(int argc, char **argv)
{
    static struct responder responder;
    responder_check(argc == 2 ? 0 : -EINVAL, "bare-answer PORT");
    responder_init(&responder);
    responder_listen(&responder, responder_bind(responder_number(argv[1], UINT16_MAX)));
    responder_run(&responder);
    return 0;
}
