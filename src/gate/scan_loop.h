/*
 * The life of a scanner process inside its box: wait for a request on one of its channels, map the message read-only, scan,
 * answer, forget. One message at a time; channels in turn, so that no event loop of the gate waits for another's flood.
 *
 * System calls: epoll_wait, epoll_ctl, epoll_create1, recvmsg, sendmsg, poll, mmap and munmap (never executable), fcntl
 * (F_GET_SEALS), fstat, close, brk, exit_group.
 */
#ifndef GATE_SCAN_LOOP_H
#define GATE_SCAN_LOOP_H

/*
 * Serve until the main channel closes. Returns 0 then, or 1 when something broke that only a new process can mend. Takes its
 * memory (a few MiB) before the first message.
 */
int scan_loop_run(int main_channel);

#endif
