/* edge_page.c: pages this peer answers from itself: health, welcome, build facts, one page per
 * error. They work before the peer has joined anything. */
#include "edge_room.h"

enum edge_verdict edge_page_build(struct edge_call *call)
{
    struct slice value;

    call->slot->is_verbose = edge_query_get(call, "verbose", &value);
    return VERDICT_LOCAL;
}

enum edge_verdict edge_page_reserved(struct edge_call *call)
{
    return edge_call_fault(call, PROBLEM_NOT_IMPLEMENTED,
                           "this name is reserved for something that is not built yet");
}

enum edge_verdict edge_page_problem(struct edge_call *call)
{
    enum edge_problem problem = edge_problem_find(call->parts[0]);

    if (problem == PROBLEM_NONE)
        return edge_call_fault(call, PROBLEM_NOT_FOUND, "there is no such problem");
    call->slot->wanted = problem;
    return VERDICT_LOCAL;
}

static void edge_page_plain(struct edge_answer *answer, const char *text)
{
    edge_answer_text(answer, 200, "text/plain; charset=utf-8", slice_text(text));
}

void edge_page_live(struct edge_answer *answer, const struct result *result)
{
    (void)result;
    edge_page_plain(answer, answer->slot->is_verbose ? "[+]loop ok\nok\n" : "ok\n");
}

void edge_page_allow(struct edge_answer *answer, const struct result *result)
{
    (void)result;
    edge_answer_head(answer, 204);
    edge_answer_route(answer, NULL);
    edge_answer_allow(answer);
    edge_answer_no_store(answer);
    edge_answer_empty(answer);
}

/* Builds a body with `fill` and sends it as `type`. */
static void edge_page_filled(struct edge_answer *answer, const char *type,
                             void (*fill)(struct edge_out *, const struct edge_answer *))
{
    struct buffer text;
    struct edge_out out;

    buffer_init(&text, 65536);
    edge_out_begin(&out, &text, 2048);
    fill(&out, answer);
    if (edge_out_end(&out, 0))
        edge_answer_text(answer, 200, type, slice_of(text.data, text.size));
    else
        answer->out.is_full = true;
    buffer_close(&text);
}

static void edge_fill_welcome(struct edge_out *out, const struct edge_answer *answer)
{
    EDGE_PUT(out, "This is Gossamer, peer ");
    edge_put_label(out, &answer->edge->config.name);
    EDGE_PUT(out, ". Any peer serves any key; try, with this peer's address for HERE:\n\n"
                  "  curl -X PUT --data-binary 'hello' http://HERE/v1/kv/app/greeting\n"
                  "  curl http://HERE/v1/kv/app/greeting\n"
                  "  curl 'http://HERE/v1/kv/app?prefix=gr&limit=10'\n"
                  "  curl http://HERE/v1/members\n"
                  "  curl http://HERE/v1/cluster\n"
                  "  curl 'http://HERE/v1/ring/lookup?ns=app&key=greeting&verify=true'\n\n"
                  "Health: /livez /readyz?verbose   Metrics: /metrics   Errors: /problems\n");
}

void edge_page_welcome(struct edge_answer *answer, const struct result *result)
{
    (void)result;
    edge_page_filled(answer, "text/plain; charset=utf-8", edge_fill_welcome);
}

static void edge_fill_version(struct edge_out *out, const struct edge_answer *answer)
{
    EDGE_PUT(out, "{\"name\":\"gossamer\",\"version\":");
    edge_put_json(out, slice_text(answer->edge->config.version));
    EDGE_PUT(out, ",\"api\":[\"v1\"]}\n");
}

void edge_page_version(struct edge_answer *answer, const struct result *result)
{
    (void)result;
    edge_page_filled(answer, "application/json", edge_fill_version);
}

static void edge_fill_problems(struct edge_out *out, const struct edge_answer *answer)
{
    (void)answer;
    for (enum edge_problem i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        const struct edge_problem_row *row = edge_problem_row(i);

        edge_put_number(out, row->status);
        EDGE_PUT(out, "  /problems/");
        edge_put_text(out, row->slug);
        EDGE_PUT(out, "  ");
        edge_put_text(out, row->title);
        EDGE_PUT(out, "\n");
    }
}

void edge_page_problems(struct edge_answer *answer, const struct result *result)
{
    (void)result;
    edge_page_filled(answer, "text/plain; charset=utf-8", edge_fill_problems);
}

static void edge_fill_problem(struct edge_out *out, const struct edge_answer *answer)
{
    const struct edge_problem_row *row = edge_problem_row((enum edge_problem)answer->slot->wanted);

    edge_put_text(out, row->title);
    EDGE_PUT(out, " (");
    edge_put_text(out, row->slug);
    EDGE_PUT(out, ", status ");
    edge_put_number(out, row->status);
    EDGE_PUT(out, ")\n\n");
    edge_put_text(out, row->text);
    edge_put_text(out, row->is_retryable ? "\n\nTrying again later can help.\n"
                                         : "\n\nThe same request will fail again.\n");
}

void edge_page_problem_one(struct edge_answer *answer, const struct result *result)
{
    (void)result;
    edge_page_filled(answer, "text/plain; charset=utf-8", edge_fill_problem);
}
