/*
 * must(condition): what only our own mistake can break. It stays in release builds and ends the process with the
 * condition and its place on standard error; the supervisor starts another. A peer must never be able to reach one.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(condition) ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))

/* Writes one line to descriptor 2 and aborts. Called by must() only. */
__attribute__((noreturn, cold)) void must_fail(const char *condition, const char *file, int line);

#endif
