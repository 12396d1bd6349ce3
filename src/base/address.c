/* address.c: mesh addresses as text and by range. The conversions of the C library used here look
 * at nothing but their arguments; names are resolved elsewhere. */
#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int address_compare(const struct address *a, const struct address *b)
{
    int order;

    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    order = memcmp(a->ip, b->ip, sizeof a->ip);
    if (order != 0)
        return order;
    return (a->port > b->port) - (a->port < b->port);
}

bool address_equal(const struct address *a, const struct address *b)
{
    return address_compare(a, b) == 0;
}

static bool address_v4_is_private(const uint8_t ip[4])
{
    return ip[0] == 127 || ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
           (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254);
}

bool address_is_loopback_or_private(const struct address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *ip = address->ip;

    if (address->family == 4)
        return address_v4_is_private(ip);
    if (address->family != 6)
        return false;
    /* ::ffff:a.b.c.d is an IPv4 peer seen through a socket of both families. */
    if (memcmp(ip, mapped, sizeof mapped) == 0)
        return address_v4_is_private(ip + sizeof mapped);
    return memcmp(ip, loopback, sizeof loopback) == 0 || (ip[0] & 0xfe) == 0xfc ||
           (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "none";
    bool is_v6 = address->family == 6;

    if (address->family == 4 || is_v6)
        ensure(inet_ntop(is_v6 ? AF_INET6 : AF_INET, address->ip, ip, sizeof ip));
    snprintf(text, ADDRESS_TEXT_MAX, is_v6 ? "[%s]:%u" : "%s:%u", ip, (unsigned)address->port);
    return text;
}

/* Decimal digits without a leading zero, at most 65535. */
static bool address_parse_port(struct slice text, uint16_t *port)
{
    uint32_t value = 0;

    if (text.size < 1 || text.size > 5 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text.data[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool address_parse_ip(struct slice text, struct address *address)
{
    char ip[INET6_ADDRSTRLEN];
    bool is_v6 = text.size >= 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';

    if (is_v6)
        text = slice_of(text.data + 1, text.size - 2);
    if (text.size >= sizeof ip || (text.size && memchr(text.data, 0, text.size)))
        return false;
    memcpy(ip, text.data, text.size);
    ip[text.size] = 0;
    address->family = is_v6 ? 6 : 4;
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, ip, address->ip) == 1;
}

bool address_parse(struct slice text, struct address *address)
{
    const uint8_t *colon = text.size ? memrchr(text.data, ':', text.size) : NULL;
    struct address parsed = {0};
    size_t ip_size;

    if (!colon)
        return false;
    ip_size = (size_t)(colon - text.data);
    if (!address_parse_port(slice_of(colon + 1, text.size - ip_size - 1), &parsed.port) ||
        !address_parse_ip(slice_of(text.data, ip_size), &parsed))
        return false;
    *address = parsed;
    return true;
}
