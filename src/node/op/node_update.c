/* node_update.c: changes of typed rows at their coordinator (decision 0009). What a type replaces
 * is crdt's; here is what it asks of the others and of the order of things.
 *
 *   simple type     row --nothing live here--> quorum read --+--> write
 *   element         head --of its type----------------------------------> row of the element ->
 * write
 *                        \-nothing live here--> quorum read --+--> write it --^
 *
 * A key gets its type with its first write, so whoever finds nothing asks the others first: a stale
 * owner must not give a key its second type. The head of a collection is written once; from then on
 * an element costs one row.
 *
 * Counters are committed here before any other owner hears of them. Totals that others have and we
 * forgot would be added to the next ones, which begin at the older. */
#include "node_impl.h"
#include "node_parts.h"

_Static_assert((int)TYPE_VALUE == CRDT_VALUE && (int)TYPE_TOMBSTONE == CRDT_TOMBSTONE &&
                   (int)TYPE_SET == CRDT_SET && (int)TYPE_MAP == CRDT_MAP &&
                   (int)TYPE_COUNTER == CRDT_COUNTER && (int)TYPE_FLAG == CRDT_FLAG &&
                   (int)TYPE_REGISTER == CRDT_REGISTER && (int)TYPE_MVREGISTER == CRDT_MVREGISTER &&
                   (int)TYPE_HLL == CRDT_HLL && TYPE_COUNT == CRDT_KIND_MAX + 1,
               "one numbering");

/* The kind of collection a row name is an element of: the first byte of its path. */
static enum crdt_kind update_collection(struct slice name)
{
    size_t key = store_name_key(name).size;

    return key + 1 < name.size ? (enum crdt_kind)name.data[key + 1] : (enum crdt_kind)0;
}

/* Tells whether an op from outside is one this peer can carry out. */
bool node_update_is_sound(const struct op *op)
{
    enum crdt_kind collection = update_collection(op->key);

    if (op->kind == OP_DELETE && op->type > CRDT_KIND_MAX && op->type != TYPE_ALL)
        return false;
    if (op->kind != OP_UPDATE || op->is_many)
        return true;
    return (!store_name_is_element(op->key) || collection == CRDT_SET || collection == CRDT_MAP) &&
           crdt_update_is_sound((enum crdt_kind)op->type, op->body);
}

/* Tells whether carrying an operation out twice is carrying it out once. */
bool node_update_is_repeatable(const struct op *op)
{
    return op->kind != OP_UPDATE || op->type != CRDT_COUNTER;
}

/* Tells whether a change replaces only what is found of what it names: a removal always; a flag or
 * a register with a context; DELETE ?type=. Found is what a quorum shows: our own copy may lack it.
 */
bool node_update_observes(const struct node_task *task)
{
    const struct op *op = &task->op;

    if (op->kind == OP_DELETE)
        return op->type != 0 && op->type != TYPE_ALL;
    return op->kind == OP_UPDATE && task->path_size == 0 &&
           (op->type == CRDT_TOMBSTONE ||
            (op->context.size > 0 && (op->type == CRDT_FLAG || op->type == CRDT_MVREGISTER)));
}

/* --- an element and its head: while the head is looked at, the path is cut off op.key */

/* A new try: perhaps at another owner, so it needs the whole name again. */
void node_update_reset(struct node_task *task)
{
    if (task->path_size == 0)
        return;
    task->op.key.size += task->path_size;
    task->path_size = 0;
    task->is_written = task->is_read_done = task->is_sent = false;
    blob_drop(&task->object);
}

/* We coordinate: an element's collection is looked at first, once. */
void node_update_begin(struct node_task *task)
{
    size_t size = store_name_key(task->op.key).size;

    if (task->op.kind != OP_UPDATE || size == task->op.key.size || task->is_head_checked)
        return;
    task->path_size = (uint16_t)(task->op.key.size - size);
    task->op.key.size = size;
}

/* The head is there: on to the element. */
void node_update_element(struct node *node, struct node_task *task)
{
    node_update_reset(task);
    node_task_number(node, task); /* late answers about the head are none about the element */
    task->is_head_checked = true;
    node_task_load(node, task);
}

/* The type the row at hand must have: that of the change, or of the collection. */
static enum crdt_kind update_type(const struct node_task *task)
{
    if (task->path_size == 0)
        return (enum crdt_kind)task->op.type;
    return (enum crdt_kind)task->op.key.data[task->op.key.size + 1];
}

enum node_update_next node_update_next(struct node *node, const struct node_task *task,
                                       enum status status, struct slice row)
{
    struct crdt_object *object = &node->object_c, *more = &node->object_b;
    unsigned types;

    if (task->op.kind != OP_UPDATE || task->is_written || store_name_is_element(task->op.key))
        return UPDATE_WRITE;
    if ((status != STATUS_OK && status != STATUS_MISSING) ||
        crdt_object_decode(status == STATUS_OK ? row : SLICE_NONE, object) != STATUS_OK ||
        crdt_object_decode(blob_slice(task->object), more) != STATUS_OK ||
        crdt_object_merge(object, more) != STATUS_OK)
        return UPDATE_WRITE; /* which will say why not */
    (void)crdt_object_expire(object, node_wall_ms(node));
    types = crdt_object_types(object);
    if (types == 0 && !task->is_read_done)
        return UPDATE_READ;
    if (task->path_size == 0)
        return UPDATE_WRITE;
    /* Members of a set whose head was deleted meanwhile can still be removed. */
    return types == 1u << update_type(task) || (types == 0 && task->op.type == CRDT_TOMBSTONE)
               ? UPDATE_ELEMENT
               : UPDATE_WRITE;
}

/* --- the write */

/* The client's token, made for this row or for the collection it is in. */
static enum status update_context(struct node *node, const struct op *op,
                                  const struct crdt_object *object)
{
    struct crdt_scope scope = {node->founding.hash_seed, op->ns, op->key};

    if (crdt_context_decode(op->context, &scope, &node->context) != STATUS_OK) {
        scope.key = store_name_key(op->key);
        if (crdt_context_decode(op->context, &scope, &node->context) != STATUS_OK)
            return STATUS_CONTEXT;
    }
    return crdt_context_guard(&node->context, object, node->clock.last);
}

/* DELETE ?type=: all values of one type, where a partition left several. */
static void update_of_type(const struct crdt_object *object, unsigned type,
                           struct crdt_context *context)
{
    context->vector_count = context->dot_count = 0;
    for (unsigned i = 0; i < object->value_count; i++)
        if (object->values[i].kind == type)
            context->dots[context->dot_count++] =
                (struct dot){object->values[i].actor, object->values[i].stamp};
}

/* Puts the task's change into `object`, stamped above `above`. OK, or why it is refused. */
enum status node_update_apply(struct node *node, struct node_task *task, struct crdt_object *object,
                              uint64_t above)
{
    const struct op *op = &task->op;
    struct crdt_update update = {update_type(task), op->body, node->founding.hash_seed};
    struct crdt_context *context = NULL;
    enum status status = STATUS_OK;

    (void)crdt_object_expire(object, node_wall_ms(node));
    if (op->kind == OP_DELETE) {
        context = &node->context;
        update_of_type(object, op->type, context);
        update.type = CRDT_TOMBSTONE;
    } else if (op->context.size && task->path_size == 0) {
        context = &node->context;
        status = update_context(node, op, object);
    }
    if (task->path_size || op->kind == OP_DELETE)
        update.arg = SLICE_NONE;
    if (status != STATUS_OK)
        return status;
    task->dot = node_actor_dot(node, task, above);
    return crdt_object_update(object, context, &task->dot, &update,
                              effects_alloc(node->fx, CRDT_UPDATE_ROOM));
}

/* The head of an object, to tell the edge which types stand in the way. */
struct slice node_update_head_of(struct node *node, struct crdt_object *object)
{
    size_t size;
    struct writer out;

    crdt_object_strip(object);
    size = crdt_object_size(object);
    out = writer_over(effects_alloc(node->fx, size + 1), size);
    if (crdt_object_encode(object, &out) != STATUS_OK)
        ensure_unreachable();
    return writer_done(&out);
}

/* --- counters */

bool node_update_commits_first(const struct node_task *task)
{
    return task->op.kind == OP_UPDATE && task->op.type == CRDT_COUNTER && task->path_size == 0;
}

void node_update_commit(struct node *node, struct node_task *task, const struct hash16 *before)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    enum status status = STATUS_UNREACHABLE;

    node_coord_request(node, task, &request, owners);
    if (quorum_is_possible(&request))
        status = node_write_object(node, task, blob_slice(task->object), &node->object_a, before);
    if (status != STATUS_OK) {
        node_task_fail(node, task, status);
        return;
    }
    task->step = STEP_COMMIT;
    task->is_sent = true; /* from now on it may be stored */
}

/* Our own copy is durable, or not; only then the others may see it. */
void node_update_committed(struct node *node, struct node_task *task, enum status status)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;

    if (status == STATUS_OK) {
        node_coord_request(node, task, &request, owners);
        request.object = blob_slice(task->object);
        task->step = STEP_WRITE;
        status = quorum_put(node->quorum, node->now, &request);
        if (status == STATUS_OK)
            quorum_stored(node->quorum, node->now, task->id, STATUS_OK);
        else
            node_task_fail(node, task, status); /* it will spread: the outcome is unknown */
        return;
    }
    task->is_sent = status != STATUS_NO_SPACE;
    node_task_fail(node, task, status);
}

/* --- what is shown */

/* The reading of a typed object, beside its values. */
void node_update_show(const struct crdt_object *object, struct result *result)
{
    result->types = crdt_object_types(object);
    if (result->types & 1u << CRDT_COUNTER)
        result->is_beyond = crdt_counter_value(object, &result->number) != STATUS_OK;
    else if (result->types & 1u << CRDT_HLL) {
        SCRATCH struct crdt_hll hll;

        crdt_hll_of_object(&hll, object);
        result->number = (int64_t)crdt_hll_estimate(&hll);
    }
    for (unsigned i = 0; i < object->value_count; i++)
        result->is_true |=
            object->values[i].kind == CRDT_FLAG && object->values[i].body.data[0] == 1;
}
