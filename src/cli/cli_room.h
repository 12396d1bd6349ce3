/* cli_room.h: what the files of this room share. A command is a row of the table in cli_table.def:
 * words, arguments, an example, the options it takes, the function that runs it. */
#ifndef GOSSAMER_CLI_ROOM_H
#define GOSSAMER_CLI_ROOM_H

#include <jansson.h>

#include "bytes.h"
#include "cli.h"
#include "types.h"

#define CLI_ARGUMENTS_MAX 68     /* seeds of one join, and the words of a command */
#define CLI_BODY_MAX (64u << 20) /* bytes of one reply; more is refused */
#define CLI_URL_MAX 8192         /* bytes: the longest key all in escapes, and a query */
#define CLI_NEXT_MAX 6000        /* bytes: a cursor with the longest row name, in base64 */
#define CLI_ADDRESSES_MAX 32     /* peers one import feeds */
#define CLI_ADDRESS_DEFAULT "http://127.0.0.1:7480"

enum cli_option {
    OPTION_HELP,
    OPTION_ADDR,
    OPTION_OUTPUT,
    OPTION_TOKEN_FILE,
    OPTION_TIMEOUT,
    OPTION_WAIT,
    OPTION_NS,
    OPTION_VERIFY,
    OPTION_CONNECTIONS,
    OPTION_LIMIT,
    OPTION_CONSISTENCY,
    OPTION_CONTEXT,
    OPTION_METHOD,
    OPTION_DATA,
    OPTION_TTL,
    OPTION_REPLACE,
    OPTION_FORCE,
    OPTION_WATCH,
    OPTION_COUNT
};
#define OPTION(NAME) (1u << OPTION_##NAME)
#define OPTIONS_COMMON                                                                             \
    (OPTION(HELP) | OPTION(ADDR) | OPTION(OUTPUT) | OPTION(TOKEN_FILE) | OPTION(TIMEOUT))

struct cli;
struct cli_command {
    const char *words;     /* "kv get" */
    const char *arguments; /* "NS/KEY" */
    const char *summary;
    const char *example;
    unsigned options; /* OPTION() bits beside the common ones */
    unsigned arguments_min, arguments_max;
    int (*run)(struct cli *cli);
};

struct cli_option_row {
    const char *name;  /* without the dashes */
    char letter;       /* 0: none */
    const char *value; /* what follows it; NULL: nothing */
    const char *help;
};

/* One call of the program. */
struct cli {
    const struct cli_command *command;
    const char *arguments[CLI_ARGUMENTS_MAX];
    unsigned argument_count;
    const char *options[OPTION_COUNT]; /* value, "" for a flag, NULL when absent */
    const char *addresses;             /* from --addr, GOSSAMER_ADDR or the default */
    char *token;                       /* owned; NULL: none */
    long timeout_ms;
    bool is_json;
};

extern const struct cli_option_row cli_options[OPTION_COUNT];
/* cli_command_at walks the table; NULL behind its end. */
const struct cli_command *cli_command_at(unsigned at);

/* --- words (cli_parse.c) */

/* cli_parse fills `cli` from the arguments; CLI_DONE, or CLI_USAGE after telling what is wrong.
 * `cli->command` is NULL when only help was asked for. */
int cli_parse(struct cli *cli, int argc, char **argv);
/* cli_distance counts insertions, deletions and changes between two words (at most 63 bytes). */
unsigned cli_distance(const char *a, const char *b);
/* cli_near returns the candidate closest to `word`, NULL if none is near. `at` yields them. */
const char *cli_near(const char *word, const char *(*at)(unsigned index));
/* cli_duration_ms reads "250ms", "30s", "5m"; false on anything else. */
bool cli_duration_ms(const char *text, long *ms);
/* cli_number reads a decimal number up to `max`. */
bool cli_number(const char *text, unsigned long max, unsigned long *number);
/* cli_split_key takes NS/KEY apart; false without a slash or with an empty part. */
bool cli_split_key(const char *text, struct slice *ns, struct slice *key);
void cli_help_command(const struct cli_command *command);
void cli_help(const char *group);

/* --- HTTP (cli_http.c) */

/* Where a peer listens: the base of its URLs, and a socket for unix: addresses. */
struct cli_peer {
    char base[256];
    char socket[128]; /* empty: TCP */
};

struct cli_request {
    const char *method; /* "GET" */
    const char *path;   /* with query, escaped */
    struct slice body;
    const char *type; /* of the body; NULL: none */
    const char *context;
};

struct cli_reply {
    long status; /* 0: none came */
    struct buffer body;
    char context[2100], siblings[24], route[512];
    char next[CLI_NEXT_MAX], partitions[32]; /* of a backup */
};

/* cli_peer_parse reads http://host:port, host:port or unix:/path. */
bool cli_peer_parse(struct slice text, struct cli_peer *peer);
/* cli_peers_parse reads a comma separated list; 0 and a message when it is not one. */
unsigned cli_peers_parse(const char *text, struct cli_peer peers[CLI_ADDRESSES_MAX]);
/* cli_escape appends `text` percent-escaped for a path (slashes stay) or a query. */
void cli_escape(struct writer *out, struct slice text, bool is_path);
/* cli_ask sends one request to the first address. CLI_DONE for any reply; else told already. */
int cli_ask(const struct cli *cli, const struct cli_request *request, struct cli_reply *reply);
void cli_reply_close(struct cli_reply *reply);
/* cli_get_json asks for a path, tells problems, and parses the answer; free with json_decref. */
int cli_get_json(const struct cli *cli, const char *path, json_t **json, struct cli_reply *reply);

/* --- namespaces (cli_space.c) */

/* cli_space_path makes the path of a namespace's settings. CLI_USAGE: told already. */
int cli_space_path(const char *name, char path[CLI_URL_MAX]);
/* cli_space_own makes an object of what a namespace, shown by /v1/namespaces, sets itself. */
json_t *cli_space_own(const json_t *shown);

/* --- telling (cli_tell.c) */

/* cli_fail prints "error: ..." and "hint: ..." (NULL: none) and returns `code`. */
int cli_fail(int code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* cli_exit_of_status gives the exit code of an HTTP status. */
int cli_exit_of_status(long status);
/* cli_problem tells the problem in a reply of 400 and more and returns its exit code. */
int cli_problem(const struct cli *cli, const struct cli_reply *reply);
/* cli_put_body writes the body as it came, with a newline at the end of JSON. */
int cli_put_body(const struct cli_reply *reply);
/* cli_change sends a request that changes something and tells how it went: a problem, the body with
 * -o json, else `done` on stderr. Returns the exit code. */
int cli_change(const struct cli *cli, const struct cli_request *request, const char *done);
/* cli_text returns a member of an object as text for people: "-" when absent; numbers are written
 * into `room`. */
const char *cli_text(const json_t *object, const char *name, char room[32]);

/* A column of a table: title, member of the object, right aligned or not. */
struct cli_column {
    const char *title, *member;
    bool is_number;
};
/* cli_table prints an array of objects. */
int cli_table(const json_t *rows, const struct cli_column *columns, unsigned count);

/* --- commands */
int cli_members(struct cli *cli);
int cli_rtt(struct cli *cli);
int cli_status(struct cli *cli);
int cli_health(struct cli *cli);
int cli_version(struct cli *cli);
int cli_ring_lookup(struct cli *cli);
int cli_overlay_lookup(struct cli *cli);
int cli_kv_get(struct cli *cli);
int cli_kv_put(struct cli *cli);
int cli_kv_del(struct cli *cli);
int cli_kv_ls(struct cli *cli);
int cli_kv_import(struct cli *cli);
int cli_crdt_get(struct cli *cli);
int cli_crdt_incr(struct cli *cli);
int cli_crdt_sadd(struct cli *cli);
int cli_crdt_srem(struct cli *cli);
int cli_crdt_hset(struct cli *cli);
int cli_crdt_hdel(struct cli *cli);
int cli_crdt_flag(struct cli *cli);
int cli_crdt_set(struct cli *cli);
int cli_crdt_observe(struct cli *cli);
int cli_crdt_del(struct cli *cli);
int cli_backup(struct cli *cli);
int cli_restore(struct cli *cli);
int cli_space_list(struct cli *cli);
int cli_space_show(struct cli *cli);
int cli_space_set(struct cli *cli);
int cli_space_del(struct cli *cli);
int cli_leave(struct cli *cli);
int cli_forget(struct cli *cli);
int cli_jobs(struct cli *cli);
int cli_keys_list(struct cli *cli);
int cli_keys_add(struct cli *cli);
int cli_keys_use(struct cli *cli);
int cli_keys_remove(struct cli *cli);
int cli_weight(struct cli *cli);
int cli_ring_preview(struct cli *cli);
int cli_drain(struct cli *cli);
int cli_undrain(struct cli *cli);
int cli_join(struct cli *cli);
int cli_block(struct cli *cli);
int cli_unblock(struct cli *cli);
int cli_curl(struct cli *cli);

/* --- files and progress */

/* cli_read_file reads a file, or standard input for "-"; false after telling. */
bool cli_read_file(const char *path, struct buffer *into);
/* cli_bar shows done of total on standard error: a bar on a terminal, else a line now and then. */
struct cli_bar {
    const char *what, *note; /* note: stands in place of the rate */
    unsigned long total;
    double started_s, shown_s; /* monotonic seconds */
    bool is_terminal;
};
void cli_bar_begin(struct cli_bar *bar, const char *what, unsigned long total);
void cli_bar_show(struct cli_bar *bar, unsigned long done, bool is_end);
double cli_now_s(void);

/* --- records to import (cli_records.c) */
struct cli_record {
    struct slice key, value; /* slices of the file */
    uint32_t order;
};
struct cli_records {
    struct cli_record *items; /* owned; ascending by key, each key once: the last one wins */
    uint32_t count;
};
/* cli_records_split takes a file apart: stanzas with a "Package:" line when it begins with one,
 * otherwise lines KEY, tab, VALUE. false: no memory, or nothing in it. */
bool cli_records_split(struct slice file, struct cli_records *records);
void cli_records_close(struct cli_records *records);

#endif
