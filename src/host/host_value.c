#include "host_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"

#define NUMBER_DIGITS_MAX 15 /* far from overflow, also after the unit */

/* A unit and what it multiplies by, to bytes or milliseconds. */
struct host_unit {
    const char *name;
    uint64_t factor;
};

static const struct host_unit host_sizes[] = {
    {"B", 1},          {"KiB", 1u << 10},   {"MiB", 1u << 20},
    {"GiB", 1u << 30}, {"TiB", 1ull << 40}, {NULL, 0}};
static const struct host_unit host_durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                                  {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

bool host_value_is_list(enum host_kind kind)
{
    return kind == KIND_LIST || kind == KIND_ADDRESSES;
}

/* Reads leading digits; returns what follows them, NULL when there are none or too many. */
static const char *host_digits(const char *text, uint64_t *number)
{
    size_t count = strspn(text, "0123456789");

    if (count == 0 || count > NUMBER_DIGITS_MAX)
        return NULL;
    *number = 0;
    for (size_t i = 0; i < count; i++)
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    return text + count;
}

/* Writes a number with the largest unit that divides it. */
static void host_unit_text(const struct host_unit *units, uint64_t number, char into[32])
{
    const struct host_unit *best = &units[0];

    for (const struct host_unit *unit = units; unit->name != NULL; unit++)
        if (number >= unit->factor && number % unit->factor == 0)
            best = unit;
    if (number == 0)
        snprintf(into, 32, "0");
    else
        snprintf(into, 32, "%" PRIu64 "%s", number / best->factor, best->name);
}

static bool host_in_range(const struct host_setting *setting, const struct host_unit *units,
                          uint64_t number, char *why)
{
    char low[32], high[32];

    if (number >= setting->low && number <= setting->high)
        return true;
    if (units != NULL) {
        host_unit_text(units, setting->low, low);
        host_unit_text(units, setting->high, high);
    } else {
        snprintf(low, sizeof low, "%" PRIu64, setting->low);
        snprintf(high, sizeof high, "%" PRIu64, setting->high);
    }
    snprintf(why, HOST_WHY_SIZE, "must be from %s to %s", low, high);
    return false;
}

static bool host_parse_units(const struct host_setting *setting, const char *text, uint64_t *number,
                             char *why)
{
    bool is_size = setting->kind != KIND_DURATION;
    const struct host_unit *units = is_size ? host_sizes : host_durations;
    const char *unit = host_digits(text, number);
    char name[HOST_WHY_SIZE / 4];
    const char *example = is_size ? "64KiB, 1MiB or 2GiB" : "250ms, 2s, 5m, 1h or 7d";

    if (unit == NULL) {
        snprintf(why, HOST_WHY_SIZE, "expected a %s such as %s", is_size ? "size" : "duration",
                 example);
        return false;
    }
    if (*unit == 0 && *number != 0) {
        snprintf(why, HOST_WHY_SIZE, "a %s needs a unit: write it as %s",
                 is_size ? "size" : "duration", example);
        return false;
    }
    snprintf(name, sizeof name, "%s", unit);
    if (setting->kind == KIND_RATE && strlen(name) > 2 && !strcmp(name + strlen(name) - 2, "/s"))
        name[strlen(name) - 2] = 0; /* a second, said or not */
    for (; *unit != 0 && units->name != NULL && strcmp(units->name, name) != 0;)
        units++;
    if (*unit != 0 && units->name == NULL) {
        snprintf(why, HOST_WHY_SIZE, "unknown unit \"%.20s\": write it as %s", unit, example);
        return false;
    }
    if (*unit != 0 && *number > UINT64_MAX / units->factor)
        *number = UINT64_MAX;
    else if (*unit != 0)
        *number *= units->factor;
    return host_in_range(setting, is_size ? host_sizes : host_durations, *number, why);
}

static bool host_parse_count(const struct host_setting *setting, const char *text, uint64_t *number,
                             char *why)
{
    const char *rest = host_digits(text, number);

    if (rest == NULL || *rest != 0) {
        snprintf(why, HOST_WHY_SIZE, "expected a whole number");
        return false;
    }
    if (setting->kind == KIND_POWER && (*number & (*number - 1)) != 0) {
        snprintf(why, HOST_WHY_SIZE, "must be a power of two");
        return false;
    }
    return host_in_range(setting, NULL, *number, why);
}

/* Up to four digits behind the point; the result is rounded down to 1/256. */
static bool host_parse_weight(const char *text, uint64_t *number, char *why)
{
    uint64_t fraction = 0, scale = 1;
    const char *rest = host_digits(text, number);

    snprintf(why, HOST_WHY_SIZE, "expected a number from 0 to 64, such as 1 or 0.5");
    if (rest == NULL)
        return false;
    if (*rest == '.') {
        const char *end = host_digits(rest + 1, &fraction);

        if (end == NULL || end - rest > 5)
            return false;
        for (const char *at = rest + 1; at < end; at++)
            scale *= 10;
        rest = end;
    }
    if (*rest != 0 || *number > 64)
        return false;
    *number = *number * 256 + fraction * 256 / scale;
    return *number <= 64 * 256;
}

static bool host_parse_choice(const char *choices, const char *text, uint64_t *number, char *why)
{
    size_t size = strlen(text);
    const char *at = choices;

    for (*number = 0; at != NULL && *at != 0; ++*number) {
        if (strcspn(at, "|") == size && strncmp(at, text, size) == 0)
            return true;
        at = strchr(at, '|');
        at = at == NULL ? NULL : at + 1;
    }
    snprintf(why, HOST_WHY_SIZE, "must be one of %s", choices);
    return false;
}

static bool host_parse_name(const char *text, char *why)
{
    size_t size = strlen(text);

    if (size >= 1 && size <= 63 && text[0] >= 'a' && text[0] <= 'z' &&
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == size)
        return true;
    snprintf(why, HOST_WHY_SIZE, "a name has 1 to 63 of a-z, 0-9 and -, and begins with a letter");
    return false;
}

static bool host_parse_label(const char *text, char *why)
{
    size_t size = strlen(text);

    snprintf(why, HOST_WHY_SIZE, "expected 1 to 63 bytes without spaces or quotes");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || strchr("\"\\,", text[i]))
            return false;
    return size >= 1 && size <= 63;
}

bool host_endpoint_parse(const char *text, struct host_endpoint *endpoint, char *why)
{
    char full[96];

    *endpoint = (struct host_endpoint){0};
    snprintf(why, HOST_WHY_SIZE,
             "expected an address with a port, such as 127.0.0.1:7480, [::]:7440 or "
             "unix:/run/gossamer/api.sock");
    if (strncmp(text, "unix:", 5) == 0) {
        size_t size = strlen(text + 5);

        if (size == 0 || size >= sizeof endpoint->path)
            return false;
        memcpy(endpoint->path, text + 5, size + 1);
        return true;
    }
    if (strlen(text) > 80)
        return false;
    if (strncmp(text, "localhost:", 10) == 0)
        snprintf(full, sizeof full, "127.0.0.1%s", text + 9);
    else if (text[0] == ':')
        snprintf(full, sizeof full, "[::]%s", text);
    else
        snprintf(full, sizeof full, "%s", text);
    return address_parse(slice_text(full), &endpoint->address);
}

static bool host_parse_bool(const char *text, uint64_t *number, char *why)
{
    *number = strcmp(text, "true") == 0;
    if (*number || strcmp(text, "false") == 0)
        return true;
    snprintf(why, HOST_WHY_SIZE, "expected true or false");
    return false;
}

bool host_value_parse(const struct host_setting *setting, const char *text, uint64_t *number,
                      char *why)
{
    struct host_endpoint endpoint;

    *number = 0;
    switch (setting->kind) {
    case KIND_NAME:
        return host_parse_name(text, why);
    case KIND_LABEL:
        return host_parse_label(text, why);
    case KIND_BOOL:
        return host_parse_bool(text, number, why);
    case KIND_COUNT:
    case KIND_POWER:
        return host_parse_count(setting, text, number, why);
    case KIND_SIZE:
    case KIND_RATE:
    case KIND_DURATION:
        return host_parse_units(setting, text, number, why);
    case KIND_WEIGHT:
        return host_parse_weight(text, number, why);
    case KIND_CHOICE:
        return host_parse_choice(setting->choices, text, number, why);
    case KIND_ADDRESSES:
        return host_endpoint_parse(text, &endpoint, why);
    case KIND_LIST:
    case KIND_PATH:
        snprintf(why, HOST_WHY_SIZE, "must not be empty");
        return text[0] != 0;
    case KIND_TEXT:
    case KIND_ANY:
        return true;
    }
    ensure_unreachable();
}
