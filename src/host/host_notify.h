/* host_notify.h: words to systemd (sd_notify): one datagram to $NOTIFY_SOCKET. */
#ifndef GOSSAMER_HOST_NOTIFY_H
#define GOSSAMER_HOST_NOTIFY_H

/* host_notify sends "READY=1", "STOPPING=1" and the like; nothing happens without a supervisor. */
void host_notify(const char *state);

#endif
