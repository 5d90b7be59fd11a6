#ifndef KITH_KITH_ACTOR_H
#define KITH_KITH_ACTOR_H

/* The part of one client in a story: a kith process of its own, started by the driver (see
 * drive.h), not by people:
 *
 *     kith --hub WHERE --log FILE .actor NAME terse|full
 *
 * It connects to the hub's text door, says by REPLIES which answers it wants, and reports to
 * the driver on standard output (client/report.h). The driver tells it on standard input, a
 * line each:
 *
 *     begin REQUEST    send REQUEST, but not its ending; reported as begun
 *     go               send the ending; the answer is reported as answered
 *
 * So a request can be under way while others are, too, before any of them is answered. The
 * part is over when the driver's end of standard input closes. */

#include "kith/session.h"

#define ACTOR_COMMAND ".actor"

int actor_run(struct session *s);

#endif
