/*
 * The roles: what a process becomes after it was forked. Each role_x.c is short and ends in the same block; the boxes below can be laid
 * side by side and read as a table (docs/boxes.md has it for people).
 */
#ifndef DAEMON_ROLES_H
#define DAEMON_ROLES_H

#include "sys/role.h"
#include "sys/sandbox.h"

extern const struct sandbox supervisor_box;
extern const struct sandbox gate_box;
extern const struct sandbox records_box;
extern const struct sandbox scan_box;

/* The box of a role with the paths and limits it has in this start. `paths` has room for ROLE_PATHS_MAX and outlives the box. */
#define ROLE_PATHS_MAX 2u
struct sandbox role_box(const struct role_start *start, struct sandbox_path paths[ROLE_PATHS_MAX]);

/*
 * In a process just forked from `parent`: name, user, signals, descriptors. Everything of the role comes after it, and nothing of the
 * supervisor. RC_DENIED.
 */
MUST_CHECK enum rc role_begin(const struct role_start *start, const struct sandbox_user *user, int32_t parent, struct fault *fault);

/* Close the role's box; logs and returns false when it cannot. */
bool role_close_box(const struct role_start *start);

/* The bodies: open what is needed, close the box, serve. Each returns the exit status: 0 when it was told to end. */
int role_gate(const struct role_start *start);
int role_records(const struct role_start *start);
int role_scan(const struct role_start *start);

#endif
