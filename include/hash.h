/* hash.h: hashes and identifier arithmetic. All of them are libsodium's and xxhash's; this door
 * fixes which one is used for what (protocols.md part 1). */
#ifndef GOSSAMER_HASH_H
#define GOSSAMER_HASH_H

#include "message.h"
#include "types.h"

/* hash_sip64 is SipHash-2-4 with a 16-byte key: short, keyed, for tables, scores and checks. */
uint64_t hash_sip64(const uint8_t key[HASH_SEED_SIZE], const void *data, size_t size);
/* hash_sip128 is SipHashx-2-4: fingerprints. */
struct hash16 hash_sip128(const uint8_t key[HASH_SEED_SIZE], const void *data, size_t size);
/* hash_xxh64 is XXH3-64 with a seed: finds accidents at the speed of memory, keeps no secret. */
uint64_t hash_xxh64(uint64_t seed, const void *data, size_t size);
/* hash_key gives H of a key: SipHash-2-4-128 keyed with the hash seed over ns, 0, key (decision
 * 0022). A row name (key | 0 | path) hashes as its key: all rows of a key lie side by side. */
struct hash16 hash_key(const uint8_t seed[HASH_SEED_SIZE], struct slice ns, struct slice key);
/* hash_key_front gives the first HASH_FRONT_SIZE bytes of H, which row keys begin with, as the top
 * of a number: its top bits are the cell and the partition, those behind sort the rows of one
 * partition. */
#define HASH_FRONT_SIZE 5
uint64_t hash_key_front(const struct hash16 *hash);
/* hash_node_id gives the NodeID of an Ed25519 public key. */
struct node_id hash_node_id(const uint8_t public_key[PUBLIC_KEY_SIZE]);
/* hash_actor gives the clock actor of one opening: 48 bits of BLAKE2b(NodeID, boot counter, nonce),
 * never 0: of 10^5 openings in the life of a cluster two share one with 2 in 10^5. */
uint64_t hash_actor(const struct node_id *id, uint64_t boot_counter, uint64_t boot_nonce);

/* id_front gives id8: the first 8 bytes of a NodeID as a big-endian number. */
uint64_t id_front(const struct node_id *id);
/* id_equal and id_compare treat the id as 32 big-endian bytes. */
bool id_equal(const struct node_id *a, const struct node_id *b);
int id_compare(const struct node_id *a, const struct node_id *b);
/* id_prefix counts the leading bits two ids share: 0 to 256. */
unsigned id_prefix(const struct node_id *a, const struct node_id *b);
/* id_closer tells whether `a` is nearer to `target` than `b` is, by XOR (Kademlia section 2.1). */
bool id_closer(const struct node_id *target, const struct node_id *a, const struct node_id *b);
/* id_is_in_cell tells whether the first `depth` bits of `id` equal those of `member`. */
bool id_is_in_cell(const struct node_id *id, const struct node_id *member, unsigned depth);
/* id_from_front makes an id whose first 8 bytes are `front` and whose rest is zero: a lookup
 * target for a key hash. */
struct node_id id_from_front(uint64_t front);

/* address_equal and address_compare use every field. address_is_loopback_or_private: the ranges
 * of RFC 1918, 4193, 3927, 4291 and 127/8. */
bool address_equal(const struct address *a, const struct address *b);
int address_compare(const struct address *a, const struct address *b);
bool address_is_loopback_or_private(const struct address *address);
#define ADDRESS_TEXT_MAX 56
/* address_format writes "1.2.3.4:5" or "[::1]:5", zero-terminated, and returns `text`. */
char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);
/* address_parse reads what address_format writes, and other spellings of the same IPv6 address;
 * false on anything else, and `address` is unchanged. No names, no I/O. */
bool address_parse(struct slice text, struct address *address);

#endif
