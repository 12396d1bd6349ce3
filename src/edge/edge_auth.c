/* edge_auth.c: who may call, and through which name. Three doors, all closed by default: the Host
 * must be ours (a browser tricked by DNS rebinding sends the attacker's name), a write that a
 * browser starts must come from our own pages, and a token must fit where one is set. */
#include <strings.h>
#include "edge_room.h"

static bool edge_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Exactly four decimal numbers up to 255: "127.1" or "0x7f.1" are names, and not ours. */
static bool edge_is_ipv4(struct slice text)
{
    unsigned dots = 0, number = 0, digits = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.') {
            if (digits == 0)
                return false;
            dots++;
            number = digits = 0;
            continue;
        }
        number = number * 10 + (unsigned)(text.data[i] - '0');
        if (!edge_is_digit(text.data[i]) || ++digits > 3 || number > 255)
            return false;
    }
    return dots == 3 && digits > 0;
}

/* The inside of brackets: an IPv6 address as written by machines, no zone. */
static bool edge_is_ipv6(struct slice text)
{
    unsigned colons = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        colons += c == ':';
        if (!edge_is_digit(c) && c != ':' && c != '.' && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
            return false;
    }
    return colons >= 2 && colons <= 7 && text.size <= 45;
}

/* Cuts ":port" off; false when it is no port. */
static bool edge_host_split(struct slice host, struct slice *name)
{
    size_t at = host.size;
    unsigned port = 0;

    while (at > 0 && edge_is_digit(host.data[at - 1]))
        at--;
    *name = host;
    if (at == 0 || host.data[at - 1] != ':')
        return true;
    if (host.size - at == 0 || host.size - at > 5)
        return false;
    for (size_t i = at; i < host.size; i++)
        port = port * 10 + (unsigned)(host.data[i] - '0');
    *name = slice_of(host.data, at - 1);
    return port <= 65535;
}

static bool edge_is_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i] | 0x20;

        if (!(c >= 'a' && c <= 'z') && !edge_is_digit(name.data[i]) && name.data[i] != '-' &&
            name.data[i] != '.' && name.data[i] != '_')
            return false;
    }
    return name.size > 0 && name.size <= 255;
}

static bool edge_name_equal(struct slice name, const char *text)
{
    return strlen(text) == name.size && strncasecmp(text, (const char *)name.data, name.size) == 0;
}

static bool edge_host_is_listed(const struct edge_config *config, struct slice name)
{
    if (edge_name_equal(name, "localhost") || edge_is_ipv4(name))
        return true;
    for (uint32_t i = 0; i < config->host_count; i++)
        if (strcmp(config->hosts[i], "*") == 0 || edge_name_equal(name, config->hosts[i]))
            return true;
    return false;
}

static bool edge_host_check(const struct edge_call *call, struct slice host)
{
    struct slice name;
    char text[80];

    if (!edge_host_split(host, &name))
        goto malformed;
    if (name.size >= 2 && name.data[0] == '[' && name.data[name.size - 1] == ']') {
        if (edge_is_ipv6(slice_of(name.data + 1, name.size - 2)))
            return true;
        goto malformed;
    }
    if (!edge_is_name(name))
        goto malformed;
    if (edge_host_is_listed(&call->edge->config, name))
        return true;
    edge_text_copy(text, sizeof text, name);
    edge_fault_set(call->fault, PROBLEM_MISDIRECTED, "this peer does not answer for \"", text, "\"",
                   NULL);
    edge_fault_hint(call->fault, "use an address or localhost, or list the name in http.hosts",
                    NULL);
    return false;
malformed:
    edge_fault_set(call->fault, PROBLEM_BAD_REQUEST, "Host is not a name or address", NULL);
    return false;
}

bool edge_auth_host(const struct edge_call *call)
{
    const struct edge_head *head = call->head;
    struct slice host = head->fields[EDGE_FIELD_HOST];

    if (host.size == 0) {
        edge_fault_set(call->fault, PROBLEM_BAD_REQUEST, "Host is missing or empty", NULL);
        return false;
    }
    if (head->is_absolute && (head->authority.size != host.size ||
                              strncasecmp((const char *)head->authority.data,
                                          (const char *)host.data, host.size) != 0)) {
        edge_fault_set(call->fault, PROBLEM_BAD_REQUEST,
                       "the target names another authority than Host", NULL);
        return false;
    }
    return edge_host_check(call, host);
}

/* Looks at every byte of the token, wherever the first difference is. */
static bool edge_token_fits(struct slice given, const char *token)
{
    size_t size = strlen(token);
    unsigned difference = given.size != size;

    for (size_t i = 0; i < size; i++)
        difference |= (unsigned)(uint8_t)token[i] ^ (i < given.size ? given.data[i] : 0x100u);
    return difference == 0;
}

static bool edge_auth_token(const struct edge_call *call)
{
    const char *token = call->edge->config.admin_token;
    struct slice given = call->head->fields[EDGE_FIELD_AUTHORIZATION];

    if (!token || !token[0])
        return call->is_loopback;
    if (given.size < 7 || strncasecmp((const char *)given.data, "Bearer ", 7) != 0)
        return false;
    return edge_token_fits(slice_of(given.data + 7, given.size - 7), token);
}

/* "http://" and the Host of this very request, or with https. */
static bool edge_origin_is_ours(const struct edge_head *head)
{
    struct slice origin = head->fields[EDGE_FIELD_ORIGIN];
    struct slice host = head->fields[EDGE_FIELD_HOST];
    size_t scheme = slice_has_prefix(origin, slice_text("https://"))  ? 8
                    : slice_has_prefix(origin, slice_text("http://")) ? 7
                                                                      : 0;

    return scheme && origin.size - scheme == host.size &&
           strncasecmp((const char *)origin.data + scheme, (const char *)host.data, host.size) == 0;
}

bool edge_auth_call(const struct edge_call *call)
{
    const struct edge_head *head = call->head;

    if (call->route->scope != SCOPE_NONE && !edge_auth_token(call)) {
        edge_fault_set(call->fault, PROBLEM_UNAUTHENTICATED,
                       "this route needs a token that this peer knows", NULL);
        edge_fault_hint(call->fault, "send Authorization: Bearer TOKEN", NULL);
        return false;
    }
    if (call->route->is_local_only && !call->is_loopback) {
        edge_fault_set(call->fault, PROBLEM_FORBIDDEN,
                       "this route is only for clients on the peer's own machine", NULL);
        return false;
    }
    if ((head->method & EDGE_SAFE) == 0 &&
        ((head->seen[EDGE_FIELD_ORIGIN] && !edge_origin_is_ours(head)) ||
         (head->seen[EDGE_FIELD_SEC_FETCH_SITE] &&
          !slice_equal(head->fields[EDGE_FIELD_SEC_FETCH_SITE], slice_text("same-origin"))))) {
        edge_fault_set(call->fault, PROBLEM_FORBIDDEN,
                       "a browser sent this write from a page of another origin", NULL);
        return false;
    }
    return true;
}
