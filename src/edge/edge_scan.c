/* edge_scan.c: the raw lines of a head, before any parser sees them. llhttp 8.1.0, strict as it is,
 * accepts things that two servers in a row may read differently: a line that continues the one
 * before (obs-fold), a bare LF at the end, runs of spaces, a missing version. Whatever two readers
 * could split differently is refused here, line by line, so that the answer is the same however
 * the bytes arrive (security.md H1, RFC 9112 sections 2.2, 3 and 5). */
#include "edge_head.h"
#include <string.h>

static enum status edge_scan_refuse(struct edge_scan *scan, enum edge_problem problem,
                                    const char *detail)
{
    scan->problem = problem;
    scan->detail = detail;
    return STATUS_BAD;
}

/* RFC 9110 section 5.6.2: bit c of the row is set if the byte c is part of a token. */
static bool edge_scan_is_token(uint8_t c)
{
    static const uint32_t bits[8] = {
        0,          /* controls */
        0x03ff6cfa, /* ! # $ % & ' * + - . 0-9 */
        0xc7fffffe, /* A-Z ^ _ */
        0x57ffffff, /* ` a-z | ~ */
    };

    return bits[c / 32] >> c % 32 & 1;
}

static enum edge_method edge_scan_method(struct slice text)
{
    static const struct {
        const char *name;
        enum edge_method method;
    } methods[] = {
        {"GET", EDGE_GET},   {"HEAD", EDGE_HEAD},     {"PUT", EDGE_PUT},
        {"POST", EDGE_POST}, {"DELETE", EDGE_DELETE}, {"OPTIONS", EDGE_OPTIONS},
    };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strlen(methods[i].name) == text.size &&
            memcmp(methods[i].name, text.data, text.size) == 0)
            return methods[i].method;
    return EDGE_OTHER;
}

/* "HTTP/" DIGIT "." DIGIT; only 1.0 and 1.1 are spoken. */
static enum status edge_scan_version(struct edge_scan *scan, const uint8_t *text, size_t size)
{
    if (size != 8 || memcmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' ||
        text[6] != '.' || text[7] < '0' || text[7] > '9')
        return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST,
                                "the request line does not end in an HTTP version");
    if (text[5] != '1' || text[7] > '1')
        return edge_scan_refuse(scan, PROBLEM_VERSION_NOT_SUPPORTED,
                                "the request asks for another HTTP version than 1.0 or 1.1");
    scan->is_http10 = text[7] == '0';
    return STATUS_OK;
}

/* method SP target SP version, with exactly these two spaces. */
static enum status edge_scan_request_line(struct edge_scan *scan, const uint8_t *line, size_t size)
{
    const uint8_t *first = memchr(line, ' ', size);
    const uint8_t *target = first ? first + 1 : line;
    const uint8_t *second = first ? memchr(target, ' ', size - (size_t)(target - line)) : NULL;

    if (!second || first == line || second == target)
        return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST,
                                "the request line is not METHOD SP TARGET SP VERSION");
    for (const uint8_t *c = line; c < first; c++)
        if (!edge_scan_is_token(*c))
            return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST, "the method is not a token");
    for (const uint8_t *c = target; c < second; c++)
        if (*c <= 0x20 || *c >= 0x7f || *c == '#')
            return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST,
                                    "the target has a byte that must be percent-encoded");
    scan->method = edge_scan_method((struct slice){line, (size_t)(first - line)});
    scan->target_at = scan->line + (size_t)(target - line);
    scan->target_size = (size_t)(second - target);
    return edge_scan_version(scan, second + 1, size - (size_t)(second + 1 - line));
}

static enum status edge_scan_field(struct edge_scan *scan, const uint8_t *line, size_t size)
{
    const uint8_t *colon = memchr(line, ':', size);

    if (line[0] == ' ' || line[0] == '\t')
        return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST,
                                "a header line begins with a space (obsolete line folding)");
    if (!colon || colon == line)
        return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST, "a header line has no field name");
    for (const uint8_t *c = line; c < colon; c++)
        if (!edge_scan_is_token(*c))
            return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST,
                                    "a header field name is not a token");
    if (scan->count > EDGE_FIELDS_MAX)
        return edge_scan_refuse(scan, PROBLEM_HEADERS_TOO_LARGE,
                                "the request has more than 100 header fields");
    return STATUS_OK;
}

#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Tells whether a control character other than a tab is there. Eight bytes at a time: the sums are
 * exact as to whether any byte is below 0x20 or is 0x7f; only then single bytes are looked at. */
static bool edge_scan_has_control(const uint8_t *text, size_t size)
{
    size_t i = 0;

    while (i < size) {
        uint64_t word, delete;

        while (size - i >= sizeof word) {
            memcpy(&word, text + i, sizeof word);
            delete = word ^ EVERY_BYTE(0x7f);
            if ((((word - EVERY_BYTE(0x20)) & ~word) | ((delete - EVERY_BYTE(1)) & ~delete)) &
                EVERY_BYTE(0x80))
                break;
            i += sizeof word;
        }
        for (size_t end = size - i < sizeof word ? size : i + sizeof word; i < end; i++)
            if ((text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
                return true;
    }
    return false;
}

/* `size` is without CR and LF; both stand behind it. An empty line ends the head. */
static enum status edge_scan_line(struct edge_scan *scan, const uint8_t *line, size_t size)
{
    if (edge_scan_has_control(line, size))
        return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST,
                                "the head has a control character or a bare CR");
    return scan->count == 0 ? edge_scan_request_line(scan, line, size)
                            : edge_scan_field(scan, line, size);
}

/* Limits come before content, and the same for a line that has not ended: the order of refusals
 * must not depend on how the bytes were split. `end` is behind what is known of the line. */
static enum status edge_scan_limits(struct edge_scan *scan, const uint8_t *data, size_t end)
{
    if (end > scan->line && scan->count == 0 && !edge_scan_is_token(data[scan->line]))
        return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST, "the request line has no method");
    if (scan->count == 0 && end - scan->line > EDGE_LINE_MAX + 2)
        return edge_scan_refuse(scan, PROBLEM_URI_TOO_LONG,
                                "the request line is longer than 8192 bytes");
    if (end > EDGE_HEAD_MAX)
        return edge_scan_refuse(scan, PROBLEM_HEADERS_TOO_LARGE,
                                "the head is larger than 16384 bytes");
    return STATUS_OK;
}

enum status edge_scan_feed(struct edge_scan *scan, const uint8_t *data, size_t size)
{
    for (;;) {
        const uint8_t *newline =
            scan->at < size ? memchr(data + scan->at, '\n', size - scan->at) : NULL;
        size_t end = newline ? (size_t)(newline - data) + 1 : size;
        enum status status;

        status = edge_scan_limits(scan, data, end);
        if (status != STATUS_OK)
            return status;
        scan->at = end;
        if (!newline)
            return STATUS_INCOMPLETE;
        if (end - scan->line < 2 || data[end - 2] != '\r')
            return edge_scan_refuse(scan, PROBLEM_BAD_REQUEST, "a line ends in LF without CR");
        if (end - scan->line == 2)
            return STATUS_OK;
        status = edge_scan_line(scan, data + scan->line, end - 2 - scan->line);
        if (status != STATUS_OK)
            return status;
        scan->count++;
        scan->line = end;
    }
}
