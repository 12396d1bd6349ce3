#include "host_problem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SUGGEST_SIZE_MAX 64u /* bytes of a word worth comparing */
#define CARET_MAX 60u        /* columns underlined at most */

bool host_problems_init(struct host_problems *problems)
{
    *problems = (struct host_problems){0};
    problems->out = open_memstream(&problems->text, &problems->size);
    return problems->out != NULL;
}

void host_problems_close(struct host_problems *problems)
{
    if (problems->out != NULL)
        fclose(problems->out);
    free(problems->text);
    *problems = (struct host_problems){0};
}

/* Shows the line and underlines what is meant. */
static void host_problem_show(FILE *out, const struct host_place *place)
{
    const char *line = place->text, *end;
    unsigned width = place->width == 0 ? 1 : place->width;

    for (unsigned i = 1; i < place->line && line != NULL; i++) {
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    if (line == NULL)
        return;
    end = line + strcspn(line, "\r\n");
    if (place->column > (size_t)(end - line) + 1)
        return;
    fprintf(out, "%5u | %.*s\n      | ", place->line, (int)(end - line), line);
    for (unsigned i = 1; i < place->column; i++)
        fputc(line[i - 1] == '\t' ? '\t' : ' ', out);
    fputc('^', out);
    for (unsigned i = 1; i < width && i < CARET_MAX && line + place->column - 1 + i < end; i++)
        fputc('~', out);
    fputc('\n', out);
}

void host_problem(struct host_problems *problems, enum host_severity severity,
                  const struct host_place *place, const char *format, ...)
{
    FILE *out = problems->out;
    va_list arguments;

    if (severity == HOST_ERROR)
        problems->errors++;
    else
        problems->warnings++;
    fputs(place->source, out);
    if (place->line != 0)
        fprintf(out, ":%u:%u", place->line, place->column);
    fputs(severity == HOST_ERROR ? ": error: " : ": warning: ", out);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fputc('\n', out);
    if (place->line != 0 && place->text != NULL)
        host_problem_show(out, place);
}

const char *host_problems_text(struct host_problems *problems)
{
    fflush(problems->out);
    return problems->text;
}

static unsigned host_min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
 * (Damerau 1964, in its restricted form). */
static unsigned host_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    unsigned rows[3][SUGGEST_SIZE_MAX + 1];

    if (a_size > SUGGEST_SIZE_MAX || b_size > SUGGEST_SIZE_MAX)
        return SUGGEST_SIZE_MAX;
    for (unsigned j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *second = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            row[j] =
                host_min(host_min(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = host_min(row[j], second[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

const char *host_suggest(const char *word, host_suggest_next *next, void *context)
{
    const char *best = NULL, *name;
    unsigned least = (unsigned)(strlen(word) + 5) / 3; /* one slip in three letters */

    if (strlen(word) > SUGGEST_SIZE_MAX)
        return NULL;
    while ((name = next(context)) != NULL) {
        unsigned distance = host_distance(word, name);

        if (distance < least || (distance == least && best == NULL)) {
            least = distance;
            best = name;
        }
    }
    return best;
}
