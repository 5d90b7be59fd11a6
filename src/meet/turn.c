#include "meet/turn.h"

#include "base/hash.h"
#include "io/profile.h"
#include "people/account_name.h"

#include <errno.h>

int turn_take(const struct self *s, const char *what, struct bytes name)
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    struct profile profile;
    uint64_t whom;
    account_name_fold(name, folded);
    const struct bytes pieces[] = {bytes_from_str(folded), bytes_from_str(s->hub_print)};
    int r = hash_pieces(pieces, 2, 0, &whom);
    if (r != 0)
        return r;
    r = profile_open(&profile, s->profile);
    if (r == 0)
        r = profile_try_lock_one(&profile, what, whom);
    else if (r > 0)
        r = -EACCES;
    profile_close(&profile);
    return r;
}

void turn_give_back(int turn)
{
    if (turn >= 0)
        profile_unlock(turn);
}

bool turn_is_taken(const struct self *s, const char *what, struct bytes name)
{
    int turn = turn_take(s, what, name);
    turn_give_back(turn);
    return turn == -EWOULDBLOCK;
}
