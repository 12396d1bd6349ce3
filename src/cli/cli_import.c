/* cli_import.c: stores many records through many peers at once, and reads every one of them back
 * from a peer that did not write it. One thread, libcurl's multi interface: a lane is a request in
 * flight with its connection; record i goes through peer i mod n and is verified from the next.
 * What fails for want of a quorum is tried again through the next peer. */
#include "cli_room.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#define IMPORT_LANES_MAX 256
#define IMPORT_TRIES 8
#define IMPORT_FILE_MAX (1u << 30) /* bytes; no reason but a bound */

struct import_lane {
    CURL *curl;
    uint32_t record;
    unsigned tries;
    bool is_busy, is_equal; /* verify: what came so far is what was written */
    size_t at;              /* verify: bytes compared */
};

struct import {
    const struct cli *cli;
    struct cli_peer peers[CLI_ADDRESSES_MAX];
    unsigned peer_count;
    struct cli_records records;
    struct import_lane lanes[IMPORT_LANES_MAX];
    unsigned lane_count;
    CURLM *multi;
    struct curl_slist *fields;
    const char *ns;
    bool is_verify; /* the second pass */
    uint32_t next;  /* first record no lane has taken */
    uint32_t done, failed;
    uint64_t bytes;
    char first_failure[300];
};

static size_t import_drop(char *data, size_t one, size_t size, void *context)
{
    (void)data;
    (void)one;
    (void)context;
    return size;
}

/* Compares what comes with what was written, so that no value is kept twice. */
static size_t import_compare(char *data, size_t one, size_t size, void *context)
{
    struct import_lane *lane = context;
    const struct cli_record *record;

    (void)one;
    curl_easy_getinfo(lane->curl, CURLINFO_PRIVATE, &record);
    if (lane->at + size > record->value.size ||
        memcmp(record->value.data + lane->at, data, size) != 0)
        lane->is_equal = false;
    lane->at += size;
    return size;
}

static const struct cli_peer *import_peer(const struct import *import,
                                          const struct import_lane *lane)
{
    return &import->peers[(lane->record + lane->tries + import->is_verify) % import->peer_count];
}

static void import_send(struct import *import, struct import_lane *lane)
{
    const struct cli_peer *peer = import_peer(import, lane);
    const struct cli_record *record = &import->records.items[lane->record];
    char url[CLI_URL_MAX];
    struct writer out = writer_over(url, sizeof(url) - 1);

    write_slice(&out, slice_text(peer->base));
    write_slice(&out, slice_text("/v1/kv/"));
    cli_escape(&out, slice_text(import->ns), false);
    write_u8(&out, '/');
    cli_escape(&out, record->key, true);
    url[out.size] = 0;
    lane->at = 0;
    lane->is_equal = true;
    lane->is_busy = true;
    curl_easy_setopt(lane->curl, CURLOPT_URL, url);
    curl_easy_setopt(lane->curl, CURLOPT_PRIVATE, record);
    curl_easy_setopt(lane->curl, CURLOPT_UNIX_SOCKET_PATH, peer->socket[0] ? peer->socket : NULL);
    if (!import->is_verify) {
        curl_easy_setopt(lane->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)record->value.size);
        curl_easy_setopt(lane->curl, CURLOPT_POSTFIELDS, record->value.data);
    }
    curl_multi_add_handle(import->multi, lane->curl);
}

static void import_fail(struct import *import, const struct import_lane *lane, long status,
                        const char *why)
{
    const struct cli_record *record = &import->records.items[lane->record];

    if (import->failed++ == 0)
        snprintf(import->first_failure, sizeof(import->first_failure), "%s/%.*s at %s: %s (%ld)",
                 import->ns, (int)(record->key.size < 100 ? record->key.size : 100),
                 (const char *)record->key.data, import_peer(import, lane)->base, why, status);
}

/* Frees the lane, or sends the same again through the next peer. */
static void import_ended(struct import *import, struct import_lane *lane, CURLcode outcome)
{
    const struct cli_record *record = &import->records.items[lane->record];
    long status = 0;
    bool is_good;

    curl_easy_getinfo(lane->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(import->multi, lane->curl);
    lane->is_busy = false;
    is_good = outcome == CURLE_OK && status >= 200 && status < 300;
    if (is_good && import->is_verify && (!lane->is_equal || lane->at != record->value.size)) {
        import_fail(import, lane, status, "the value differs");
        import->done++;
        return;
    }
    if (!is_good && (outcome != CURLE_OK || status == 429 || status >= 500) &&
        ++lane->tries < IMPORT_TRIES) {
        import_send(import, lane);
        return;
    }
    if (!is_good)
        import_fail(import, lane, status,
                    outcome == CURLE_OK ? "refused" : curl_easy_strerror(outcome));
    else
        import->bytes += record->value.size;
    import->done++;
}

static bool import_fill(struct import *import)
{
    bool is_busy = false;

    for (unsigned i = 0; i < import->lane_count; i++) {
        struct import_lane *lane = &import->lanes[i];

        if (!lane->is_busy && import->next < import->records.count) {
            lane->record = import->next++;
            lane->tries = 0;
            import_send(import, lane);
        }
        is_busy |= lane->is_busy;
    }
    return is_busy;
}

static struct import_lane *import_lane_of(struct import *import, const CURL *curl)
{
    for (unsigned i = 0; i < import->lane_count; i++)
        if (import->lanes[i].curl == curl)
            return &import->lanes[i];
    return NULL;
}

static void import_pass(struct import *import, const char *what)
{
    struct cli_bar bar;
    int running, left;

    import->next = import->done = 0;
    import->bytes = 0;
    cli_bar_begin(&bar, what, import->records.count);
    while (import_fill(import)) {
        const CURLMsg *message;

        if (curl_multi_perform(import->multi, &running) != CURLM_OK)
            break;
        while ((message = curl_multi_info_read(import->multi, &left)))
            if (message->msg == CURLMSG_DONE)
                import_ended(import, import_lane_of(import, message->easy_handle),
                             message->data.result);
        cli_bar_show(&bar, import->done, false);
        if (running > 0)
            curl_multi_poll(import->multi, NULL, 0, 100, NULL);
    }
    cli_bar_show(&bar, import->done, true);
}

static bool import_lanes(struct import *import)
{
    for (unsigned i = 0; i < import->lane_count; i++) {
        struct import_lane *lane = &import->lanes[i];
        CURL *curl = lane->curl ? lane->curl : curl_easy_init();

        if (!curl)
            return false;
        curl_easy_reset(curl);
        lane->curl = curl;
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, import->fields);
        curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, import->cli->timeout_ms);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, import->is_verify ? "GET" : "PUT");
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION,
                         import->is_verify ? import_compare : import_drop);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, lane);
    }
    return true;
}

static int import_tell(const struct import *import, const char *what, double took_s)
{
    if (import->cli->is_json)
        printf("{\"pass\":\"%s\",\"records\":%u,\"failed\":%u,\"bytes\":%llu,\"seconds\":%.3f}\n",
               what, import->records.count, import->failed, (unsigned long long)import->bytes,
               took_s);
    else
        printf("%s %u of %u records, %.1f MB, in %.1f s (%.0f/s) through %u peer%s\n", what,
               import->done - import->failed, import->records.count, (double)import->bytes / 1e6,
               took_s, took_s > 0 ? import->done / took_s : 0, import->peer_count,
               import->peer_count == 1 ? "" : "s");
    if (import->failed == 0)
        return CLI_DONE;
    return cli_fail(import->failed < import->records.count ? CLI_PARTIAL : CLI_FAILURE,
                    "cluster-scripts/status and the logs of the peers tell more",
                    "%u records failed; the first: %s", import->failed, import->first_failure);
}

static int import_run(struct import *import)
{
    bool has_verify = import->cli->options[OPTION_VERIFY] != NULL;
    double start = cli_now_s();
    int code;

    if (!import_lanes(import))
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    import_pass(import, "storing");
    code = import_tell(import, "stored", cli_now_s() - start);
    if (code != CLI_DONE || !has_verify)
        return code;
    import->is_verify = true;
    start = cli_now_s();
    if (!import_lanes(import))
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    import_pass(import, "verifying");
    return import_tell(import, "verified", cli_now_s() - start);
}

static int import_open(struct import *import, const struct cli *cli, struct buffer *file)
{
    unsigned long lanes = 32;
    char line[4400];

    import->cli = cli;
    import->ns = cli->options[OPTION_NS] ? cli->options[OPTION_NS] : "packages";
    import->peer_count = cli_peers_parse(cli->addresses, import->peers);
    if (import->peer_count == 0)
        return CLI_USAGE;
    if (cli->options[OPTION_CONNECTIONS] &&
        (!cli_number(cli->options[OPTION_CONNECTIONS], IMPORT_LANES_MAX, &lanes) || lanes == 0))
        return cli_fail(CLI_USAGE, "1 to 256", "\"%s\" is no number of connections",
                        cli->options[OPTION_CONNECTIONS]);
    import->lane_count = (unsigned)lanes;
    if (!cli_read_file(cli->arguments[0], file))
        return CLI_FAILURE;
    if (!cli_records_split(slice_of(file->data, file->size), &import->records))
        return cli_fail(CLI_FAILURE, "stanzas with a Package: line, or lines KEY<tab>VALUE",
                        "%s has no records", cli->arguments[0]);
    import->multi = curl_multi_init();
    import->fields = curl_slist_append(NULL, "Expect:");
    import->fields = curl_slist_append(import->fields, "Content-Type: text/plain; charset=utf-8");
    snprintf(line, sizeof(line), "Authorization: Bearer %s", cli->token ? cli->token : "");
    if (cli->token)
        import->fields = curl_slist_append(import->fields, line);
    curl_multi_setopt(import->multi, CURLMOPT_MAXCONNECTS, (long)lanes * 2);
    return CLI_DONE;
}

int cli_kv_import(struct cli *cli)
{
    struct import *import = calloc(1, sizeof(*import));
    struct buffer file;
    int code;

    if (!import)
        return cli_fail(CLI_FAILURE, NULL, "out of memory");
    buffer_init(&file, IMPORT_FILE_MAX);
    code = import_open(import, cli, &file);
    if (code == CLI_DONE)
        code = import_run(import);
    for (unsigned i = 0; i < import->lane_count; i++)
        curl_easy_cleanup(import->lanes[i].curl);
    if (import->multi)
        curl_multi_cleanup(import->multi);
    curl_slist_free_all(import->fields);
    cli_records_close(&import->records);
    buffer_close(&file);
    free(import);
    return code;
}
