#include "host_yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "ensure.h"
#include "host_file.h"

#define KEY_TEXT_SIZE 256 /* bytes of a key with its groups, its zero included */
#define DEPTH_MAX 4       /* levels of groups; the table has three */

/* One text being read. */
struct host_yaml {
    struct host_config *config;
    const char *source;
    const char *text;
};

static struct host_place host_yaml_place(const struct host_yaml *yaml, struct fy_node *node)
{
    struct host_place place = {.source = yaml->source, .text = yaml->text};
    struct fy_token *token = fy_node_is_scalar(node) ? fy_node_get_scalar_token(node) : NULL;
    const struct fy_mark *start = token == NULL ? NULL : fy_token_start_mark(token);
    const struct fy_mark *end = token == NULL ? NULL : fy_token_end_mark(token);

    if (start == NULL)
        return place;
    place.line = (unsigned)start->line + 1;
    place.column = (unsigned)start->column + 1;
    if (end != NULL && end->line == start->line && end->column > start->column)
        place.width = (unsigned)(end->column - start->column);
    return place;
}

/* Nothing is written in three ways; the library knows the first. */
static bool host_yaml_is_null(struct fy_node *node)
{
    const char *text;
    size_t size = 0;

    if (node == NULL || fy_node_is_null(node))
        return true;
    if (!fy_node_is_scalar(node) || fy_node_get_style(node) != FYNS_PLAIN)
        return false;
    text = fy_node_get_scalar(node, &size);
    return (size == 1 && text[0] == '~') || (size == 4 && memcmp(text, "null", 4) == 0);
}

/* Copies a scalar; false with a problem if it is none, or holds what no setting can. */
static bool host_yaml_scalar(struct host_yaml *yaml, struct fy_node *node, char *into, size_t room)
{
    struct host_place place = host_yaml_place(yaml, node);
    struct host_problems *problems = &yaml->config->problems;
    const char *text;
    size_t size = 0;

    if (!fy_node_is_scalar(node)) {
        host_problem(problems, HOST_ERROR, &place, "expected a single value");
        return false;
    }
    if (fy_node_is_alias(node)) {
        host_problem(problems, HOST_ERROR, &place, "aliases are not allowed here");
        return false;
    }
    text = fy_node_get_scalar(node, &size);
    if (size >= room || (size != 0 && memchr(text, 0, size) != NULL)) {
        host_problem(problems, HOST_ERROR, &place, "the value is too long");
        return false;
    }
    if (size != 0)
        memcpy(into, text, size);
    into[size] = 0;
    return true;
}

static void host_yaml_add(struct host_yaml *yaml, int id, struct fy_node *node)
{
    char text[HOST_PATH_SIZE];
    struct host_place place = host_yaml_place(yaml, node);

    if (host_yaml_scalar(yaml, node, text, sizeof text))
        host_config_add(yaml->config, id, text, &place);
}

/* A list may also be written as the one value it has; an empty value leaves the default. */
static void host_yaml_setting(struct host_yaml *yaml, int id, struct fy_node *node)
{
    bool is_list = host_value_is_list(host_setting((enum host_setting_id)id)->kind);
    struct fy_node *item;
    void *at = NULL;

    if (host_yaml_is_null(node) || host_setting((enum host_setting_id)id)->kind == KIND_ANY)
        return;
    host_config_clear(yaml->config, id, yaml->source);
    if (!is_list || !fy_node_is_sequence(node)) {
        host_yaml_add(yaml, id, node);
        return;
    }
    while ((item = fy_node_sequence_iterate(node, &at)) != NULL)
        host_yaml_add(yaml, id, item);
}

static void host_yaml_unknown(struct host_yaml *yaml, const char *group, const char *name,
                              const struct host_place *place)
{
    bool is_strict = host_config_number(yaml->config, SETTING_STRICT) != 0;
    char near[64];

    if (host_setting_suggest(group, name, near))
        host_problem(&yaml->config->problems, is_strict ? HOST_ERROR : HOST_WARNING, place,
                     "unknown key \"%s\" (did you mean \"%s\"?)", name, near);
    else
        host_problem(&yaml->config->problems, is_strict ? HOST_ERROR : HOST_WARNING, place,
                     "unknown key \"%s\"", name);
}

static void host_yaml_group(struct host_yaml *yaml, const char *group, struct fy_node *node,
                            unsigned depth);

static void host_yaml_pair(struct host_yaml *yaml, const char *group, struct fy_node_pair *pair,
                           unsigned depth)
{
    char name[KEY_TEXT_SIZE / 2], key[KEY_TEXT_SIZE];
    struct fy_node *value = fy_node_pair_value(pair);
    struct host_place place = host_yaml_place(yaml, fy_node_pair_key(pair));
    int id;

    if (!host_yaml_scalar(yaml, fy_node_pair_key(pair), name, sizeof name))
        return;
    snprintf(key, sizeof key, "%s%s%s", group, group[0] == 0 ? "" : ".", name);
    id = host_setting_find(key);
    if (id >= 0) {
        if (host_setting((enum host_setting_id)id)->flags & SETTING_INERT)
            host_problem(&yaml->config->problems, HOST_WARNING, &place, "%s has no effect yet",
                         key);
        host_yaml_setting(yaml, id, value);
    } else if (!host_setting_is_group(key) || depth == DEPTH_MAX) {
        host_yaml_unknown(yaml, group, name, &place);
    } else if (value != NULL && fy_node_is_mapping(value)) {
        host_yaml_group(yaml, key, value, depth + 1);
    } else if (!host_yaml_is_null(value)) {
        host_problem(&yaml->config->problems, HOST_ERROR, &place,
                     "\"%s\" is a group: its settings stand indented below it", name);
    }
}

static void host_yaml_group(struct host_yaml *yaml, const char *group, struct fy_node *node,
                            unsigned depth)
{
    struct fy_node_pair *pair;
    void *at = NULL;

    while ((pair = fy_node_mapping_iterate(node, &at)) != NULL)
        host_yaml_pair(yaml, group, pair, depth);
}

/* What the library says about a text that is not YAML; nothing about one that is only comments. */
static void host_yaml_explain(struct host_yaml *yaml, struct fy_diag *diag)
{
    struct fy_diag_error *error;
    struct host_place place = {.source = yaml->source, .text = yaml->text};
    void *at = NULL;

    while ((error = fy_diag_errors_iterate(diag, &at)) != NULL) {
        place.line = error->line > 0 ? (unsigned)error->line : 0;
        place.column = error->column > 0 ? (unsigned)error->column : 1;
        host_problem(&yaml->config->problems, HOST_ERROR, &place, "%s", error->msg);
    }
}

/* Parses a text and hands the root to `visit`. */
static void host_yaml_parse(struct host_yaml *yaml, int id,
                            void (*visit)(struct host_yaml *, int, struct fy_node *))
{
    struct fy_diag_cfg diag_config;
    struct fy_diag *diag;
    struct fy_parse_cfg parse = {.flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2};
    struct fy_document *document;

    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag = fy_diag_create(&diag_config);
    ensure(diag != NULL);
    fy_diag_set_collect_errors(diag, true);
    parse.diag = diag;
    document = fy_document_build_from_string(&parse, yaml->text, strlen(yaml->text));
    if (document == NULL)
        host_yaml_explain(yaml, diag);
    else if (fy_document_root(document) != NULL)
        visit(yaml, id, fy_document_root(document));
    fy_document_destroy(document);
    fy_diag_destroy(diag);
}

/* `strict` decides how the rest is judged, so it is looked at first. */
static void host_yaml_root(struct host_yaml *yaml, int id, struct fy_node *root)
{
    struct fy_node *strict;
    struct host_place place = {.source = yaml->source, .text = yaml->text};

    (void)id;
    if (host_yaml_is_null(root))
        return;
    if (!fy_node_is_mapping(root)) {
        host_problem(&yaml->config->problems, HOST_ERROR, &place,
                     "expected settings, such as \"node: { name: n1 }\"");
        return;
    }
    strict = fy_node_mapping_lookup_by_string(root, "strict", strlen("strict"));
    if (strict != NULL)
        host_yaml_setting(yaml, SETTING_STRICT, strict);
    host_yaml_group(yaml, "", root, 1);
}

void host_yaml_text(struct host_config *config, const char *text, const char *source)
{
    struct host_yaml yaml = {config, host_config_source(config, source), text};

    host_yaml_parse(&yaml, 0, host_yaml_root);
}

void host_yaml_value(struct host_config *config, int id, const char *text, const char *source)
{
    struct host_yaml yaml = {config, source, text};

    host_yaml_parse(&yaml, id, host_yaml_setting);
}

void host_yaml_file(struct host_config *config, const char *path)
{
    struct host_place place = {.source = path};
    char *text = malloc(HOST_YAML_SIZE_MAX + 1);
    enum status status;
    size_t size = 0;

    ensure(text != NULL);
    status = host_file_read(path, text, HOST_YAML_SIZE_MAX, &size);
    text[size] = 0;
    if (status != STATUS_OK)
        host_problem(&config->problems, HOST_ERROR, &place, "cannot read it: %s",
                     status_text(status));
    else if (memchr(text, 0, size) != NULL)
        host_problem(&config->problems, HOST_ERROR, &place, "this is not a text file");
    else
        host_yaml_text(config, text, path);
    free(text);
}
