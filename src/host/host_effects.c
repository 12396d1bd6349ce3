/* host_effects.c: what the node asks for, done. One line per effect. */
#include "ensure.h"
#include "hash.h"
#include "host_keyring.h"
#include "host_room.h"

void host_opened(struct host *host, bool is_recovering)
{
    const struct host_boot *boot = &host->directory.boot;
    struct event event = {.kind = EVENT_OPENED};

    event.opened.boot_counter = boot->counter;
    event.opened.actor = hash_actor(&host->directory.identity.id, boot->counter, boot->nonce);
    event.opened.is_recovering = is_recovering;
    host_step(host, &event);
}

/* A commit failed: nothing more is written under the old actor. The new boot record comes first, so
 * that a crash between the two steps cannot bring the old actor back. */
static void host_reopen(struct host *host)
{
    char detail[HOST_DETAIL_SIZE] = "";
    bool is_recovering = false;

    if (host_directory_boot(&host->directory, detail) != STATUS_OK ||
        host_storage_reopen(host->storage, &is_recovering, detail) != STATUS_OK) {
        host_log(&host->log, LEVEL_ERROR, "the store is lost: %s", detail);
        host_stop(host, HOST_EXIT_LOST);
        return;
    }
    host_refresh(host);
    host_poll_storage(host);
    host_opened(host, is_recovering);
}

/* The ring is small and changes seldom: it is written while the loop waits. */
static void host_keep_keys(struct host *host, const struct effect *effect)
{
    const struct seal_keyring *ring = effect->keyring.ring;
    char detail[HOST_DETAIL_SIZE] = "";
    struct event event = {.kind = EVENT_KEYRING};

    event.keyring.stamp = ring->stamp;
    event.keyring.by = ring->by;
    event.keyring.status = host_keyring_save(ring, host->directory.path, detail);
    if (event.keyring.status != STATUS_OK)
        host_log(&host->log, LEVEL_ERROR, "%s", detail);
    host_step(host, &event);
}

static void host_reply(struct host *host, const struct effect *effect)
{
    if (effect->reply.result->kind == OP_METRICS)
        host->node_metrics = *node_metrics(host->node);
    host_http_reply(host->http, effect->reply.ticket, effect->reply.result);
}

static void host_read_range(struct host *host, const struct effect *effect)
{
    host_storage_read(host->storage, effect->read.read, effect->read.is_point, &effect->read.range);
}

static void host_write_rows(struct host *host, const struct effect *effect)
{
    host_storage_write(host->storage, effect->write.write, effect->write.rows, effect->write.count);
}

static void host_effect_stop(struct host *host, const struct effect *effect)
{
    host->is_ended = true;
    host_log(&host->log, LEVEL_INFO, "the peer stops: %s", status_text(effect->stop.reason));
    host_stop(host, effect->stop.reason == STATUS_OK ? HOST_EXIT_OK : HOST_EXIT_FAILURE);
}

static void host_effect(struct host *host, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_DATAGRAM:
        host_udp_send(host->udp, &effect->datagram.to, effect->datagram.bytes);
        return;
    case EFFECT_CONNECT:
        host_link_connect(host->links, effect->link.link, &effect->link.address);
        return;
    case EFFECT_CLOSE:
        host_link_shut(host->links, effect->link.link);
        return;
    case EFFECT_STREAM:
        host_link_stream(host->links, effect->stream.link, effect->stream.bytes);
        return;
    case EFFECT_WRITE:
        host_write_rows(host, effect);
        return;
    case EFFECT_READ:
        host_read_range(host, effect);
        return;
    case EFFECT_REPLY:
        host_reply(host, effect);
        return;
    case EFFECT_RESOLVE:
        host_resolve_names(host->resolve, effect->resolve.names);
        return;
    case EFFECT_REOPEN:
        host_reopen(host);
        return;
    case EFFECT_KEYRING:
        host_keep_keys(host, effect);
        return;
    case EFFECT_STOP:
        host_effect_stop(host, effect);
        return;
    }
    ensure_unreachable();
}

void host_effects_perform(struct host *host)
{
    /* Performing may add effects and move the list: each is copied first. */
    while (host->performed < host->effects.count) {
        struct effect effect = host->effects.items[host->performed++];

        host_effect(host, &effect);
    }
}
