/* cli.c: the table of commands. Help, did-you-mean and dispatch are made of it. */
#include "cli_room.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

const struct cli_option_row cli_options[OPTION_COUNT] = {
    [OPTION_HELP] = {"help", 'h', NULL, "show this help"},
    [OPTION_ADDR] = {"addr", 0, "ADDR", "http://host:port or unix:/path (or GOSSAMER_ADDR)"},
    [OPTION_OUTPUT] = {"output", 'o', "table|json", "json is the body of the API itself"},
    [OPTION_TOKEN_FILE] = {"token-file", 0, "FILE", "token to send (or GOSSAMER_TOKEN)"},
    [OPTION_TIMEOUT] = {"timeout", 0, "TIME", "give up after this long (10s)"},
    [OPTION_WAIT] = {"wait", 0, "TIME", "wait until the peer is ready"},
    [OPTION_NS] = {"ns", 0, "NS", "namespace (of an import: packages)"},
    [OPTION_VERIFY] = {"verify", 0, NULL, "compare, or check"},
    [OPTION_CONNECTIONS] = {"connections", 0, "N", "requests in flight (32)"},
    [OPTION_LIMIT] = {"limit", 0, "N", "show at most so many"},
    [OPTION_CONSISTENCY] = {"consistency", 0, "one|quorum|all", "owners that must answer"},
    [OPTION_CONTEXT] = {"context", 0, "TOKEN", "what the write replaces"},
    [OPTION_METHOD] = {"method", 'X', "METHOD", "HTTP method (GET)"},
    [OPTION_DATA] = {"data", 'd', "TEXT", "body to send"},
    [OPTION_FORCE] = {"force", 0, NULL, "leave behind who has not acknowledged the keys"},
    [OPTION_REPLACE] = {"replace", 0, NULL, "rows of the archive supersede what is there"},
    [OPTION_WATCH] = {"watch", 0, NULL, "show it again and again, until nothing is left"},
    [OPTION_TTL] = {"ttl", 0, "TIME", "how long the value lives: 30s, 12h, 7d"},
};

static const struct cli_command commands[] = {
    {"members", "", "who is in the mesh", "gossamer members", 0, 0, 0, cli_members},
    {"rtt", "", "round trips between all peers", "gossamer rtt", 0, 0, 0, cli_rtt},
    {"status", "", "one screen: health, members, warnings", "gossamer status", 0, 0, 0, cli_status},
    {"kv get", "NS/KEY", "write a value to standard output", "gossamer kv get app/img/7 >photo.jpg",
     OPTION(CONSISTENCY), 1, 1, cli_kv_get},
    {"kv put", "NS/KEY [VALUE|-|@FILE]", "store a value", "gossamer kv put app/greeting hello",
     OPTION(CONSISTENCY) | OPTION(CONTEXT) | OPTION(TTL), 1, 2, cli_kv_put},
    {"kv del", "NS/KEY", "delete a key", "gossamer kv del app/greeting",
     OPTION(CONSISTENCY) | OPTION(CONTEXT), 1, 1, cli_kv_del},
    {"kv ls", "NS[/PREFIX]", "list keys in byte order", "gossamer kv ls app/img/ --limit 20",
     OPTION(LIMIT) | OPTION(CONSISTENCY), 1, 1, cli_kv_ls},
    {"kv import", "FILE", "store many: stanzas with Package:, or lines KEY<tab>VALUE",
     "apt-cache dumpavail | gossamer kv import - --ns packages --verify",
     OPTION(NS) | OPTION(VERIFY) | OPTION(CONNECTIONS), 1, 1, cli_kv_import},
    {"crdt get", "NS/KEY", "what a counter, set, map, flag, register or sketch holds",
     "gossamer crdt get app/tags", OPTION(CONSISTENCY), 1, 1, cli_crdt_get},
    {"crdt incr", "NS/KEY [N]", "add to a counter (1)", "gossamer crdt incr app/hits 5",
     OPTION(CONSISTENCY), 1, 2, cli_crdt_incr},
    {"crdt sadd", "NS/KEY MEMBER...", "add members to a set",
     "gossamer crdt sadd app/tags red blue", OPTION(CONSISTENCY), 2, 64, cli_crdt_sadd},
    {"crdt srem", "NS/KEY MEMBER...", "remove members of a set", "gossamer crdt srem app/tags red",
     OPTION(CONSISTENCY) | OPTION(CONTEXT), 2, 64, cli_crdt_srem},
    {"crdt hset", "NS/KEY FIELD VALUE", "set a field of a map",
     "gossamer crdt hset app/user/7 name Ada", OPTION(CONSISTENCY), 3, 3, cli_crdt_hset},
    {"crdt hdel", "NS/KEY FIELD...", "remove fields of a map", "gossamer crdt hdel app/user/7 name",
     OPTION(CONSISTENCY) | OPTION(CONTEXT), 2, 64, cli_crdt_hdel},
    {"crdt flag", "NS/KEY true|false", "enable or disable a flag", "gossamer crdt flag app/on true",
     OPTION(CONSISTENCY) | OPTION(CONTEXT), 2, 2, cli_crdt_flag},
    {"crdt set", "NS/KEY VALUE", "set a register: the newest wins",
     "gossamer crdt set app/motto onward", OPTION(CONSISTENCY), 2, 2, cli_crdt_set},
    {"crdt observe", "NS/KEY ELEMENT...", "add to a sketch that counts different elements",
     "gossamer crdt observe app/visitors ada", OPTION(CONSISTENCY), 2, 64, cli_crdt_observe},
    {"crdt del", "NS/KEY", "delete a key of any type, with all that is in it",
     "gossamer crdt del app/tags", OPTION(CONSISTENCY) | OPTION(CONTEXT), 1, 1, cli_crdt_del},
    {"ring lookup", "NS/KEY", "who owns a key", "gossamer ring lookup app/greeting --verify",
     OPTION(VERIFY), 1, 1, cli_ring_lookup},
    {"ring preview", "add=N|remove=PEER|weight=PEER:N...", "what would move, and between whom",
     "gossamer ring preview add=1", 0, 1, 3, cli_ring_preview},
    {"overlay lookup", "NS/KEY", "find a key's place step by step",
     "gossamer overlay lookup app/greeting", 0, 1, 1, cli_overlay_lookup},
    {"backup", "FILE", "everything there is into a file; --verify checks one, no cluster needed",
     "gossamer backup /backup/monday.gossamer", OPTION(NS) | OPTION(VERIFY), 1, 1, cli_backup},
    {"restore", "FILE", "merge an archive into the cluster",
     "gossamer restore /backup/monday.gossamer", OPTION(NS) | OPTION(REPLACE), 1, 1, cli_restore},
    {"namespaces list", "", "namespaces with settings of their own", "gossamer namespaces list", 0,
     0, 0, cli_space_list},
    {"namespaces show", "NS", "what holds for a namespace", "gossamer namespaces show app", 0, 1, 1,
     cli_space_show},
    {"namespaces set", "NS NAME=VALUE...", "change settings: consistency, conflict, ttl, replicas",
     "gossamer namespaces set app conflict=lww ttl=12h", 0, 2, 8, cli_space_set},
    {"namespaces del", "NS", "back to the defaults; the namespace must be empty",
     "gossamer namespaces del app", 0, 1, 1, cli_space_del},
    {"leave", "", "hand the peer's data over, then stop it", "gossamer leave", 0, 0, 0, cli_leave},
    {"forget", "PEER", "give up a dead peer at once; others take over its share",
     "gossamer forget peer-4", 0, 1, 1, cli_forget},
    {"weight", "PEER N", "change a peer's share of the data, 0 to 64; 0: it stores nothing",
     "gossamer weight peer-4 2", 0, 2, 2, cli_weight},
    {"keys list", "", "keys of the cluster, and who has them", "gossamer keys list", 0, 0, 0,
     cli_keys_list},
    {"keys add", "", "install a new key at all members; it opens, and seals nothing yet",
     "gossamer keys add", 0, 0, 0, cli_keys_add},
    {"keys use", "ID", "seal with this key from now on", "gossamer keys use 5ad1", OPTION(FORCE), 1,
     1, cli_keys_use},
    {"keys remove", "ID", "take a key away: it opens nothing from now on",
     "gossamer keys remove 07c2", OPTION(FORCE), 1, 1, cli_keys_remove},
    {"jobs", "", "what moves, how far it is, time left", "gossamer jobs --watch", OPTION(WATCH), 0,
     0, cli_jobs},
    {"drain", "", "let other peers coordinate; /readyz says 503", "gossamer drain", 0, 0, 0,
     cli_drain},
    {"undrain", "", "undo drain", "gossamer undrain", 0, 0, 0, cli_undrain},
    {"join", "ADDR...", "join the cluster of these mesh addresses", "gossamer join 10.0.0.7:7440",
     0, 1, 64, cli_join},
    {"block", "PEER,...", "drop mesh traffic with these peers (for tests)",
     "gossamer block peer-4,peer-5", 0, 1, 1, cli_block},
    {"unblock", "", "undo block", "gossamer unblock", 0, 0, 0, cli_unblock},
    {"health", "", "exit 0 when the peer is ready, else 1", "gossamer health --wait 30s",
     OPTION(WAIT), 0, 0, cli_health},
    {"version", "", "versions of this program and of the peer", "gossamer version", 0, 0, 0,
     cli_version},
    {"curl", "PATH", "one raw request", "gossamer curl /v1/self", OPTION(METHOD) | OPTION(DATA), 1,
     1, cli_curl},
};

const struct cli_command *cli_command_at(unsigned at)
{
    return at < sizeof(commands) / sizeof(commands[0]) ? &commands[at] : NULL;
}

/* Reads the token once, so that no command needs to know where it came from. */
static bool cli_token(struct cli *cli)
{
    const char *path = cli->options[OPTION_TOKEN_FILE], *text = getenv("GOSSAMER_TOKEN");
    struct buffer file;
    size_t size = 0;

    if (!path) {
        cli->token = text && text[0] ? strdup(text) : NULL;
        return true;
    }
    buffer_init(&file, 4096);
    if (!cli_read_file(path, &file))
        return false;
    while (size < file.size && file.data[size] > ' ' && file.data[size] < 0x7F)
        size++;
    cli->token = size ? strndup((const char *)file.data, size) : NULL;
    buffer_close(&file);
    return true;
}

int cli_run(int argc, char **argv)
{
    struct cli cli = {0};
    int code = cli_parse(&cli, argc, argv);

    if (code != CLI_DONE || !cli.command)
        return code;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return cli_fail(CLI_FAILURE, NULL, "libcurl does not start");
    code = cli_token(&cli) ? cli.command->run(&cli) : CLI_USAGE;
    if (fflush(stdout) != 0 && code == CLI_DONE)
        code = cli_fail(CLI_FAILURE, NULL, "cannot write the result");
    free(cli.token);
    curl_global_cleanup();
    return code;
}
