/* host_config.h: every setting of the daemon, from one table (proto/config.def). Later sources
 * replace earlier ones: default < file < conf.d < environment < flags (api.md 11). */
#ifndef GOSSAMER_HOST_CONFIG_H
#define GOSSAMER_HOST_CONFIG_H

#include "host.h"
#include "host_problem.h"
#include "host_value.h"

enum host_setting_id {
#define SETTING(NAME, key, kind, initial, low, high, flags, choices, help) SETTING_##NAME,
#include "config.def"
#undef SETTING
    SETTING_COUNT
};

#define HOST_ITEMS_MAX 64 /* elements of a list: as many as there may be seeds */

/* The present value of one setting. */
struct host_value {
    char *items[HOST_ITEMS_MAX]; /* owned texts; a scalar has one, "not set" none */
    unsigned count;
    uint64_t number;  /* numbers, index of a choice, 1 for true */
    const char *from; /* owned by the configuration: which source set it; NULL: the default */
};

#define HOST_SOURCES_MAX 128 /* files, variables and flags that may set something */

struct host_config {
    struct host_value values[SETTING_COUNT];
    struct host_problems problems;
    char *sources[HOST_SOURCES_MAX]; /* owned names, for `from` */
    unsigned source_count;
};

/* The table. */
const struct host_setting *host_setting(enum host_setting_id id);
/* host_setting_find returns the index of the setting named by `key`, -1 when there is none. */
int host_setting_find(const char *key);
/* host_setting_is_group tells whether settings begin with `prefix` and a dot. */
bool host_setting_is_group(const char *prefix);
/* host_setting_suggest writes the name below `group` ("" for the top) that `word` probably means;
 * false and "" when none is near. */
bool host_setting_suggest(const char *group, const char *word, char suggestion[64]);

/* host_config_source keeps a name and returns it, valid as long as the configuration. */
const char *host_config_source(struct host_config *config, const char *name);
/* host_config_clear begins a new value of a setting: what was there is forgotten. */
void host_config_clear(struct host_config *config, int id, const char *from);
/* host_config_add adds one text: the value itself, or the next element of a list. Problems are
 * noted with `place`. */
void host_config_add(struct host_config *config, int id, const char *text,
                     const struct host_place *place);
/* host_config_set sets a value from one line of text as flags and variables give it; lists are
 * separated by commas, or in YAML's brackets. */
void host_config_set(struct host_config *config, int id, const char *text, const char *source);

/* What is set. host_config_text returns "" when nothing is. */
const char *host_config_text(const struct host_config *config, enum host_setting_id id);
uint64_t host_config_number(const struct host_config *config, enum host_setting_id id);
bool host_config_is_set(const struct host_config *config, enum host_setting_id id);

/* host_config_example prints every setting with its comment; host_config_dump the present values
 * and where each comes from. Both can be read back. */
void host_config_example(FILE *out);
void host_config_dump(const struct host_config *config, FILE *out);

#endif
