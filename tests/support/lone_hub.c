#include "support/lone_hub.h"

#include <stdlib.h>

void lone_hub_open(struct lone_hub *h, const struct hub_config *config)
{
    struct embedded_config store_config = {.secret = 1, .segment_first_bytes = 65536};
    struct recovery_report report;
    *h = (struct lone_hub){.disk = faulty_disk_new()};
    if (embedded_open(&h->store, &store_config, faulty_disk(h->disk), (struct walltime){1},
                      &report) != 0)
        abort();
    h->shared.store = embedded_store(h->store);
    h->shared.config = *config;
    h->shared.config.workers = 1;
    h->shared.config.password_cost = password_cost_least;
    hub_init(&h->hub, &h->shared);
}

void lone_hub_close(struct lone_hub *h)
{
    hub_fini(&h->hub);
    introductions_fini(&h->shared.introductions);
    directory_fini(&h->shared.directory);
    relays_fini(&h->shared.relays);
    embedded_free(h->store);
    faulty_disk_free(h->disk);
}
