/* wire_address.c: where a peer is, and how to send it a first sealed packet. Written the same way
 * in records and in packed lists.
 *
 *   address   | family 4 or 6 u8 | ip 4 or 16 | port u16 |
 *   contact   | public key 32 | address | packet epoch u64 | rtt us u32 |
 *
 * The id of a contact is not on the wire: it follows from the key, and a wrong one could only
 * be a lie. */
#include "ensure.h"
#include "hash.h"
#include "wire.h"

static size_t wire_address_ip_size(const struct address *address)
{
    return address->family == 4 ? 4 : 16;
}

static size_t wire_address_size(const struct address *address)
{
    return 1 + wire_address_ip_size(address) + 2;
}

void wire_address_write(struct writer *out, const struct address *address)
{
    ensure(address->family == 4 || address->family == 6);
    ensure(address->port != 0);
    uint8_t *room = write_room(out, wire_address_size(address));
    if (!room)
        return;
    struct writer part = writer_over(room, wire_address_size(address));
    write_u8(&part, address->family);
    write_bytes(&part, address->ip, wire_address_ip_size(address));
    write_u16(&part, address->port);
    ensure(!part.is_full);
}

void wire_address_read(struct reader *in, struct address *address)
{
    memset(address, 0, sizeof *address);
    address->family = read_u8(in);
    if (address->family != 4 && address->family != 6)
        in->is_bad = true;
    read_bytes(in, address->ip, wire_address_ip_size(address));
    address->port = read_u16(in);
    if (address->port == 0)
        in->is_bad = true;
    if (in->is_bad)
        memset(address, 0, sizeof *address);
}

void wire_contact_write(struct writer *out, const struct contact *contact)
{
    struct writer before = *out;
    write_bytes(out, contact->public_key, PUBLIC_KEY_SIZE);
    wire_address_write(out, &contact->address);
    write_u64(out, contact->epoch);
    write_u32(out, contact->rtt_us);
    if (out->is_full)
        out->size = before.size;
}

void wire_contact_read(struct reader *in, struct contact *contact)
{
    memset(contact, 0, sizeof *contact);
    read_bytes(in, contact->public_key, PUBLIC_KEY_SIZE);
    wire_address_read(in, &contact->address);
    contact->epoch = read_u64(in);
    contact->rtt_us = read_u32(in);
    if (in->is_bad)
        memset(contact, 0, sizeof *contact);
    else
        contact->id = hash_node_id(contact->public_key);
}
