/* wire_table.c: proto/messages.def unrolled twice, first into one array of fields per message,
 * then into an array indexed by kind. A kind used twice does not compile (an initialiser would be
 * overridden), a field that is not in the struct neither. */
#include "wire_table.h"

#include "limits.h"
#include "wire.h"

/* The bound of a field whose table says 0: what the type can hold. */
#define WIRE_MOST_U8 UINT8_MAX
#define WIRE_MOST_U16 UINT16_MAX
#define WIRE_MOST_U32 UINT32_MAX
#define WIRE_MOST_U64 UINT64_MAX
#define WIRE_MOST_ID32 NODE_ID_SIZE
#define WIRE_MOST_HASH16 KEY_HASH_SIZE
#define WIRE_MOST_BYTES FRAME_BODY_MAX

#define MESSAGE(NAME, name, id, carrier) static const struct wire_field wire_fields_##name[] = {
#define FIELD(name, key, TYPE, bound, member)                                                      \
    {(key), WIRE_TYPE_##TYPE, offsetof(struct message, name.member),                               \
     (bound) != 0 ? (bound) : WIRE_MOST_##TYPE},
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END

static const struct wire_layout wire_layouts[UINT8_MAX + 1] = {
#define MESSAGE(NAME, name, id, carrier)                                                           \
    [id] = {#name, wire_fields_##name, sizeof(wire_fields_##name) / sizeof(wire_fields_##name[0]), \
            WIRE_CARRIER_##carrier},
#define FIELD(name, key, TYPE, bound, member)
#define END(name)
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};

_Static_assert(sizeof(struct message) <= UINT16_MAX, "an offset in a message fits u16");

const struct wire_layout *wire_layout_of(unsigned kind)
{
    if (kind > UINT8_MAX || wire_layouts[kind].carriers == 0)
        return NULL;
    return &wire_layouts[kind];
}

const char *wire_message_name(unsigned kind)
{
    const struct wire_layout *layout = wire_layout_of(kind);
    return layout ? layout->name : "unknown";
}

unsigned wire_message_carriers(unsigned kind)
{
    const struct wire_layout *layout = wire_layout_of(kind);
    return layout ? layout->carriers : 0;
}
