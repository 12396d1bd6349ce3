#include "host_config.h"

#include <stdlib.h>
#include <string.h>

#include "ensure.h"
#include "host_yaml.h"

static const struct host_setting host_settings[SETTING_COUNT] = {
#define SETTING(NAME, key, kind, initial, low, high, flags, choices, help)                         \
    {key, KIND_##kind, initial, low, high, flags, choices, help},
#include "config.def"
#undef SETTING
};

const struct host_setting *host_setting(enum host_setting_id id)
{
    return &host_settings[id];
}

int host_setting_find(const char *key)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (strcmp(host_settings[i].key, key) == 0)
            return i;
    return -1;
}

/* Returns what follows `prefix` and a dot in `key`, NULL if it does not begin so. */
static const char *host_setting_below(const char *key, const char *prefix)
{
    size_t size = strlen(prefix);

    if (size == 0)
        return key;
    return strncmp(key, prefix, size) == 0 && key[size] == '.' ? key + size + 1 : NULL;
}

bool host_setting_is_group(const char *prefix)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (prefix[0] != 0 && host_setting_below(host_settings[i].key, prefix) != NULL)
            return true;
    return false;
}

/* A walk over the names one step below a group. */
struct host_setting_walk {
    const char *group;
    int at;
    char names[SETTING_COUNT][64]; /* every one is kept: the best is returned by address */
};

static const char *host_setting_next(void *context)
{
    struct host_setting_walk *walk = context;

    while (walk->at < SETTING_COUNT) {
        char *name = walk->names[walk->at];
        const char *rest = host_setting_below(host_settings[walk->at++].key, walk->group);

        if (rest == NULL)
            continue;
        snprintf(name, sizeof walk->names[0], "%.*s", (int)strcspn(rest, "."), rest);
        return name;
    }
    return NULL;
}

bool host_setting_suggest(const char *group, const char *word, char suggestion[64])
{
    struct host_setting_walk walk = {.group = group};
    const char *name = host_suggest(word, host_setting_next, &walk);

    snprintf(suggestion, 64, "%s", name == NULL ? "" : name);
    return name != NULL;
}

/* --- values */

struct host_config *host_config_new(void)
{
    struct host_config *config = calloc(1, sizeof *config);
    struct host_place nowhere = {.source = "the built-in defaults"};

    if (config == NULL || !host_problems_init(&config->problems)) {
        free(config);
        return NULL;
    }
    for (int i = 0; i < SETTING_COUNT; i++)
        if (host_settings[i].initial[0] != 0)
            host_config_add(config, i, host_settings[i].initial, &nowhere);
    ensure(config->problems.errors == 0);
    return config;
}

void host_config_delete(struct host_config *config)
{
    if (config == NULL)
        return;
    for (int i = 0; i < SETTING_COUNT; i++)
        host_config_clear(config, i, NULL);
    for (unsigned i = 0; i < config->source_count; i++)
        free(config->sources[i]);
    host_problems_close(&config->problems);
    free(config);
}

const char *host_config_source(struct host_config *config, const char *name)
{
    if (config->source_count == HOST_SOURCES_MAX)
        return "another source";
    config->sources[config->source_count] = strdup(name);
    ensure(config->sources[config->source_count] != NULL);
    return config->sources[config->source_count++];
}

void host_config_clear(struct host_config *config, int id, const char *from)
{
    struct host_value *value = &config->values[id];

    for (unsigned i = 0; i < value->count; i++)
        free(value->items[i]);
    *value = (struct host_value){.from = from};
}

void host_config_add(struct host_config *config, int id, const char *text,
                     const struct host_place *place)
{
    const struct host_setting *setting = &host_settings[id];
    struct host_value *value = &config->values[id];
    char why[HOST_WHY_SIZE] = "";

    if (!host_value_parse(setting, text, &value->number, why)) {
        host_problem(&config->problems, HOST_ERROR, place, "%s: %s", setting->key, why);
        return;
    }
    if (value->count == (host_value_is_list(setting->kind) ? HOST_ITEMS_MAX : 1u)) {
        host_problem(&config->problems, HOST_ERROR, place, "%s: too many values", setting->key);
        return;
    }
    value->items[value->count] = strdup(text);
    ensure(value->items[value->count] != NULL);
    value->count++;
}

/* Adds each text between commas. */
static void host_config_split(struct host_config *config, int id, const char *text,
                              const struct host_place *place)
{
    char *copy = strdup(text), *rest = copy, *item;

    ensure(copy != NULL);
    while ((item = strsep(&rest, ",")) != NULL) {
        item += strspn(item, " ");
        item[strcspn(item, " ")] = 0;
        if (item[0] != 0)
            host_config_add(config, id, item, place);
    }
    free(copy);
}

void host_config_set(struct host_config *config, int id, const char *text, const char *source)
{
    struct host_place place = {.source = host_config_source(config, source)};
    size_t size = strlen(text);
    bool is_flow = size >= 2 && text[0] == '[' && text[size - 1] == ']';

    host_config_clear(config, id, place.source);
    if (host_settings[id].flags & SETTING_INERT)
        host_problem(&config->problems, HOST_WARNING, &place, "%s has no effect yet",
                     host_settings[id].key);
    if (is_flow || text[0] == '"' || text[0] == '\'')
        host_yaml_value(config, id, text, place.source);
    else if (host_value_is_list(host_settings[id].kind))
        host_config_split(config, id, text, &place);
    else
        host_config_add(config, id, text, &place);
}

const char *host_config_text(const struct host_config *config, enum host_setting_id id)
{
    return config->values[id].count == 0 ? "" : config->values[id].items[0];
}

uint64_t host_config_number(const struct host_config *config, enum host_setting_id id)
{
    return config->values[id].number;
}

bool host_config_is_set(const struct host_config *config, enum host_setting_id id)
{
    return config->values[id].from != NULL;
}

/* --- printing */

/* Prints the groups of a key that its predecessor is not in, and returns the depth. */
static unsigned host_print_groups(FILE *out, const char *before, const char *key)
{
    unsigned depth = 0;
    const char *at = key, *dot;

    while ((dot = strchr(at, '.')) != NULL) {
        size_t size = (size_t)(dot - key) + 1;

        if (strncmp(before, key, size) != 0)
            fprintf(out, "%s%*s%.*s:\n", depth == 0 ? "\n" : "", (int)depth * 2, "",
                    (int)(dot - at), at);
        depth++;
        at = dot + 1;
    }
    return depth;
}

static void host_print_scalar(FILE *out, const char *text)
{
    bool is_plain = text[0] != 0 && strpbrk(text, ":#[]{},&*!|>'\"%@` ") == NULL;

    fprintf(out, is_plain ? "%s" : "\"%s\"", text);
}

static void host_print_value(FILE *out, const struct host_setting *setting,
                             const struct host_value *value)
{
    if (!host_value_is_list(setting->kind)) {
        if (value->count != 0)
            host_print_scalar(out, value->items[0]);
        return;
    }
    fputc('[', out);
    for (unsigned i = 0; i < value->count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        host_print_scalar(out, value->items[i]);
    }
    fputc(']', out);
}

static void host_print_flags(FILE *out, unsigned flags)
{
    if (flags & SETTING_BORN)
        fputs(" (used when the cluster is born)", out);
    if (flags & SETTING_INERT)
        fputs(" (no effect yet)", out);
}

void host_config_example(FILE *out)
{
    struct host_config *config = host_config_new();
    const char *before = "";

    ensure(config != NULL);
    fputs("# Every setting of gossamerd with its default. None is required.\n"
          "# Durations need a unit (250ms 2s 5m 1h 7d), sizes as well (64KiB 1MiB).\n",
          out);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct host_setting *setting = &host_settings[i];
        int indent = (int)host_print_groups(out, before, setting->key) * 2;
        const char *dot = strrchr(setting->key, '.');

        fprintf(out, "%*s# %s", indent, "", setting->help);
        if (setting->choices[0] != 0)
            fprintf(out, ": %s", setting->choices);
        host_print_flags(out, setting->flags);
        fprintf(out, "\n%*s%s%s: ", indent, "", dot == NULL ? "\n" : "# ",
                dot == NULL ? setting->key : dot + 1);
        host_print_value(out, setting, &config->values[i]);
        fputc('\n', out);
        before = setting->key;
    }
    host_config_delete(config);
}

void host_config_dump(const struct host_config *config, FILE *out)
{
    const char *before = "";

    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct host_setting *setting = &host_settings[i];
        const struct host_value *value = &config->values[i];
        const char *dot = strrchr(setting->key, '.');

        if (value->count == 0 && value->from == NULL)
            continue;
        fprintf(out, "%*s%s: ", (int)host_print_groups(out, before, setting->key) * 2, "",
                dot == NULL ? setting->key : dot + 1);
        host_print_value(out, setting, value);
        fprintf(out, "%s%s\n", value->from == NULL ? "" : "  # ",
                value->from == NULL ? "" : value->from);
        before = setting->key;
    }
}
