/*
 * A wall clock that a test can set: preloaded into a program, it adds to the real time so many seconds as stand in the file that
 * HANGU_CLOCK_SHIFT names (an int64 in the machine's order). The file is mapped before main(), so that a process in a box sees it, too.
 * The monotonic clock is left alone.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t *shift_s;

__attribute__((constructor)) static void map_shift(void)
{
	const char *path = getenv("HANGU_CLOCK_SHIFT");
	const int   fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	void *page = mmap(NULL, sizeof *shift_s, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		abort();
	shift_s = page;
	(void)close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	const int code = (int)syscall(SYS_clock_gettime, clock, out);

	if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += atomic_load(shift_s);
	return code;
}
