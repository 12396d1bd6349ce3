/* capture.h: real packets of the mesh, heard on the loopback interface, to be sent once more. */
#ifndef GOSSAMER_CLUSTER_CAPTURE_H
#define GOSSAMER_CLUSTER_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#define CAPTURE_COUNT 32
#define CAPTURE_SIZE_MAX 9000 /* the greatest mesh.datagram_max is 8900 */

struct capture {
    unsigned count;
    size_t sizes[CAPTURE_COUNT];
    uint8_t bytes[CAPTURE_COUNT][CAPTURE_SIZE_MAX];
};

/* capture_open listens to the loopback interface; -1 without the right to do so (root has it). */
int capture_open(void);
/* capture_take fills `capture` with datagrams sent to one UDP port, at most `timeout_ms` long. */
void capture_take(int fd, struct capture *capture, uint16_t port, unsigned timeout_ms);
/* capture_send sends one datagram to 127.0.0.1:port. */
void capture_send(uint16_t port, const void *bytes, size_t size);

#endif
