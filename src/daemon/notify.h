/*
 * Telling the service manager how we are: systemd's readiness protocol (sd_notify), a datagram of KEY=value lines to the socket named in
 * NOTIFY_SOCKET. Without that variable nothing happens.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* Read the variable, open the socket, remove the variable. Before the box closes. */
void notify_open(void);
/* The descriptor, or -1. */
int notify_descriptor(void);
/* Send `state`, e.g. "READY=1\nSTATUS=...". Lost when nobody listens. */
void notify_send(const char *state);
/* RELOADING=1 with the moment, as systemd asks for with Type=notify-reload. */
void notify_reloading(void);

#endif
