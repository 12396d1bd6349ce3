/* edge_query.c: query parameters. Unknown and repeated ones are refused with a hint: a parameter
 * that is silently ignored changes the meaning of a request without a word. "+" means itself. */
#include "edge_room.h"

/* Takes the next word of a list separated by spaces; false at its end. */
static bool edge_word_next(const char **list, struct slice *word)
{
    const char *start = *list ? *list : "";
    size_t size;

    while (*start == ' ')
        start++;
    size = strcspn(start, " ");
    *word = slice_of(start, size);
    *list = start + size;
    return size > 0;
}

static bool edge_words_have(const char *list, struct slice name)
{
    struct slice word;

    while (edge_word_next(&list, &word))
        if (slice_equal(word, name))
            return true;
    return false;
}

#define DISTANCE_WORD_MAX 24 /* longer words are no typing errors of ours */

unsigned edge_distance(struct slice a, struct slice b, unsigned max)
{
    unsigned row[DISTANCE_WORD_MAX + 1];

    if (a.size > DISTANCE_WORD_MAX || b.size > DISTANCE_WORD_MAX)
        return max + 1;
    for (unsigned j = 0; j <= b.size; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.size; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b.size; j++) {
            unsigned change = diagonal + (a.data[i - 1] != b.data[j - 1]);

            diagonal = row[j];
            row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < row[j] ? change : row[j];
        }
    }
    return row[b.size] <= max ? row[b.size] : max + 1;
}

static void edge_query_unknown(struct edge_call *call, struct slice name)
{
    char text[40], near[40] = "";
    const char *list = call->route->params;
    struct slice word;
    unsigned best = 3;

    edge_text_copy(text, sizeof text, name);
    while (edge_word_next(&list, &word)) {
        unsigned distance = edge_distance(name, word, 2);

        if (distance < best && distance < word.size) {
            best = distance;
            edge_text_copy(near, sizeof near, word);
        }
    }
    edge_fault_set(call->fault, PROBLEM_UNKNOWN_PARAMETER, "unknown query parameter \"", text, "\"",
                   NULL);
    if (near[0])
        edge_fault_hint(call->fault, "did you mean \"", near, "\"?", NULL);
    else if (call->route->params[0])
        edge_fault_hint(call->fault, "this route takes: ", call->route->params, NULL);
    else
        edge_fault_hint(call->fault, "this route takes no parameters", NULL);
}

/* false: call->fault */
static bool edge_query_admit(struct edge_call *call, struct slice name)
{
    char text[40];

    edge_text_copy(text, sizeof text, name);
    for (unsigned i = 0; i < call->param_count; i++) {
        if (!slice_equal(call->params[i].name, name))
            continue;
        edge_fault_set(call->fault, PROBLEM_BAD_REQUEST, "query parameter \"", text,
                       "\" is repeated", NULL);
        return false;
    }
    if (edge_words_have(call->route->later, name)) {
        edge_fault_set(call->fault, PROBLEM_NOT_IMPLEMENTED, "the parameter \"", text,
                       "\" is not built yet", NULL);
        return false;
    }
    if (!edge_words_have(call->route->params, name) || call->param_count == EDGE_PARAMS_MAX) {
        edge_query_unknown(call, name);
        return false;
    }
    return true;
}

static bool edge_query_one(struct edge_call *call, struct slice pair)
{
    const uint8_t *mark = pair.size ? memchr(pair.data, '=', pair.size) : NULL;
    size_t name_size = mark ? (size_t)(mark - pair.data) : pair.size;
    struct buffer *text = &call->slot->text;
    struct edge_param param;

    if (!edge_percent_decode(text, slice_of(pair.data, name_size), &param.name) ||
        !edge_percent_decode(text,
                             mark ? slice_of(mark + 1, pair.size - name_size - 1) : SLICE_NONE,
                             &param.value)) {
        edge_fault_set(call->fault, PROBLEM_BAD_REQUEST,
                       "an escape in the query is not % and two hex digits", NULL);
        return false;
    }
    if (!edge_query_admit(call, param.name))
        return false;
    call->params[call->param_count++] = param;
    return true;
}

bool edge_query_parse(struct edge_call *call)
{
    struct slice left = call->head->query;

    call->param_count = 0;
    while (left.size) {
        const uint8_t *mark = memchr(left.data, '&', left.size);
        size_t size = mark ? (size_t)(mark - left.data) : left.size;

        if (size && !edge_query_one(call, slice_of(left.data, size)))
            return false;
        left = slice_of(left.data + size + (mark != NULL), left.size - size - (mark != NULL));
    }
    return true;
}

bool edge_query_get(const struct edge_call *call, const char *name, struct slice *value)
{
    for (unsigned i = 0; i < call->param_count; i++) {
        if (!slice_equal(call->params[i].name, slice_text(name)))
            continue;
        *value = call->params[i].value;
        return true;
    }
    return false;
}

int edge_query_choice(struct edge_call *call, const char *name, const char *words)
{
    struct slice value, word;
    const char *list = words;
    int index = 0;

    if (!edge_query_get(call, name, &value))
        return -1;
    for (; edge_word_next(&list, &word); index++)
        if (slice_equal(word, value))
            return index;
    edge_fault_set(call->fault, PROBLEM_BAD_REQUEST, "the parameter \"", name,
                   "\" has a value it does not take", NULL);
    edge_fault_hint(call->fault, "it takes: ", words, NULL);
    return -2;
}

/* Digits at the start of `text`; at most 9, so that nothing overflows. Returns how many. */
static size_t edge_digits(struct slice text, uint32_t *number)
{
    size_t at = 0;

    *number = 0;
    for (; at < text.size && at < 9 && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        *number = *number * 10 + (uint32_t)(text.data[at] - '0');
    return at;
}

bool edge_duration_ms(struct slice text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint32_t number;
    size_t digits = edge_digits(text, &number);
    struct slice unit = {text.data + digits, text.size - digits};

    for (size_t i = 0; digits && i < sizeof units / sizeof units[0]; i++) {
        if (!slice_equal(unit, slice_text(units[i].unit)))
            continue;
        *ms = number * units[i].ms;
        return true;
    }
    return false;
}

bool edge_query_duration(struct edge_call *call, const char *name, const uint32_t range[2],
                         uint32_t *ms)
{
    struct slice value;
    uint64_t wide;

    if (!edge_query_get(call, name, &value))
        return true;
    if (!edge_duration_ms(value, &wide) || wide < range[0] || wide > range[1]) {
        edge_fault_set(call->fault, PROBLEM_BAD_REQUEST, "the parameter \"", name,
                       "\" is no duration in its range", NULL);
        edge_fault_hint(call->fault, "write it like 250ms, 2s or 1m; timeout is 10ms to 60s", NULL);
        return false;
    }
    *ms = (uint32_t)wide;
    return true;
}

bool edge_query_ttl(struct edge_call *call, uint64_t *ms)
{
    struct slice value;

    if (!edge_query_get(call, "ttl", &value))
        return true;
    if (edge_duration_ms(value, ms) && *ms >= TTL_MIN_MS && *ms <= TTL_MAX_MS)
        return true;
    edge_fault_set(call->fault, PROBLEM_BAD_REQUEST,
                   "the parameter \"ttl\" is no duration in its range", NULL);
    edge_fault_hint(call->fault, "write it like 30s, 12h or 7d; it is 1s to 3650d", NULL);
    return false;
}

bool edge_query_number(struct edge_call *call, const char *name, uint32_t max, uint32_t *number)
{
    struct slice value;

    if (!edge_query_get(call, name, &value))
        return true;
    if (value.size > 0 && edge_digits(value, number) == value.size && *number >= 1 &&
        *number <= max)
        return true;
    edge_fault_set(call->fault, PROBLEM_BAD_REQUEST, "the parameter \"", name,
                   "\" is no number in its range", NULL);
    return false;
}
