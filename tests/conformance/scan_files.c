/*
 * Scans every file below the folders given, as it is and with its line ends made CRLF, and checks what must hold for
 * any bytes: no error, steps and memory within bounds, the same answer twice, and findings that survive the wire.
 * tests/conformance/scan.py runs it over the suites beside the project and holds its lines against what each suite
 * asks for.
 *
 * One line a file: path, action inbound, authors, then the names of the findings. The last line: sums.
 */
#include "base/arena.h"
#include "base/memory.h"
#include "policy/dispose.h"
#include "scan/serve.h"
#include "text/charset.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)256 << 20)

struct sums {
	unsigned long files, bytes, findings, internal;
	size_t        arena_max;
	uint64_t      steps_max;
	unsigned      actions[POLICY_ACTIONS];
};

static struct sums        sums;
static struct scan_server server;
static struct arena       arena, answer_arena;
static struct buf         frame, answer, again;

static void fail(const char *path, const char *what, long number)
{
	printf("INTERNAL %s: %s (%ld)\n", path, what, number);
	sums.internal++;
}

static void request_make(size_t size, struct scan_request *request)
{
	*request = (struct scan_request){
		.id = 7,
		.message_bytes = size,
		.options = { .cut = SCAN_CUT_ALL,
		             .limits = SCAN_LIMITS_STANDARD,
		             .own_name = SLICE("mx.hangu.example") },
	};
	buf_clear(&frame);
	if (scan_request_encode(request, &frame) != RC_OK || frame.failed)
		abort();
}

static void line_print(const char *path, const struct findings *findings)
{
	const struct policy_settings settings = policy_settings_standard();
	const struct dispose_query   query = { .direction = POLICY_INBOUND };
	struct disposition           disposition;

	policy_dispose(&settings, &query, findings, &disposition);
	sums.actions[disposition.action]++;
	sums.findings += findings->count;
	printf("%s\t%s\t%zu", path, policy_action_word(disposition.action), findings->facts.author_count);
	if (findings->facts.author_count != 0)
		printf(":%.*s", (int)findings->facts.authors[0].len, (const char *)findings->facts.authors[0].ptr);
	printf("\t%u", findings->facts.part_count);
	for (size_t i = 0; i < findings->count; i++)
		printf("%c%s", i == 0 ? '\t' : ' ', finding_about(findings->list[i].kind)->name);
	printf("\n");
}

static void scan_bytes(const char *path, struct slice message, bool print)
{
	struct scan_request request;
	struct findings     findings;
	struct fault        fault = { .text = "" };
	enum scan_end       end = SCAN_ENDS;

	request_make(message.len, &request);
	scan_serve_one(&server, buf_slice(&frame), message, &arena, &answer);
	if (arena.used > sums.arena_max)
		sums.arena_max = arena.used;
	scan_serve_one(&server, buf_slice(&frame), message, &arena, &again);
	if (!slice_eq(buf_slice(&answer), buf_slice(&again)))
		fail(path, "two scans differ", 0);
	arena_reset(&answer_arena);
	const enum rc rc = scan_answer_decode(buf_slice(&answer), &request, &server.engine, message, &answer_arena,
	                                      &end, &findings, &fault);
	if (rc != RC_OK || end != SCAN_END_DONE) {
		fail(path, fault.text, (long)fault.number);
		return;
	}
	if (findings_first(&findings, FINDING_LIMIT_MEMORY) != NULL)
		fail(path, "memory used up", (long)arena.used);
	if (findings.facts.steps > sums.steps_max)
		sums.steps_max = findings.facts.steps;
	if (print)
		line_print(path, &findings);
}

/* LF to CRLF, as a message comes over SMTP. Returns the new size; `out` has twice the room. */
static size_t crlf_make(struct slice in, uint8_t *out)
{
	size_t size = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == '\n' && (i == 0 || in.ptr[i - 1] != '\r'))
			out[size++] = '\r';
		out[size++] = in.ptr[i];
	}
	return size;
}

static int file_take(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)place;
	if (kind != FTW_F)
		return 0;
	const size_t size = (size_t)about->st_size;
	FILE        *file = fopen(path, "rb");
	uint8_t     *bytes = malloc(size + 1), *twice = malloc(2 * size + 1);
	if (size > FILE_MAX || file == NULL || bytes == NULL || twice == NULL || fread(bytes, 1, size, file) != size) {
		fail(path, "cannot be read", errno);
	} else {
		/* Exactly as large as the message, so that the sanitizer sees a read behind its end. */
		uint8_t *exact = malloc(size == 0 ? 1 : size);
		if (exact == NULL)
			abort();
		memcpy(exact, bytes, size);
		sums.files++;
		sums.bytes += size;
		const size_t more = crlf_make(slice_of(bytes, size), twice);
		scan_bytes(path, slice_of(exact, size), more == size);
		if (more != size)
			scan_bytes(path, slice_of(twice, more), true);
		free(exact);
	}
	if (file != NULL)
		fclose(file);
	free(bytes);
	free(twice);
	return 0;
}

/* docs/findings.md on standard output. */
static int page_print(void)
{
	struct buf page = buf_make(1 << 20);

	finding_table_put(&page);
	const bool whole = !page.failed && fwrite(page.ptr, 1, page.len, stdout) == page.len;
	buf_done(&page);
	return whole ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--findings-page") == 0)
		return page_print();
	if (digest_ready() != RC_OK || charset_ready() != RC_OK || arena_init(&arena, SCAN_ARENA_BYTES) != RC_OK ||
	    arena_init(&answer_arena, 1 << 18) != RC_OK)
		return 1;
	frame = buf_make(SCAN_FRAME_MAX);
	answer = buf_make(SCAN_FRAME_MAX);
	again = buf_make(SCAN_FRAME_MAX);
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], file_take, 16, FTW_PHYS) != 0) {
			fprintf(stderr, "cannot walk %s\n", argv[i]);
			return 1;
		}
	}
	printf("SUM files %lu bytes %lu findings %lu internal %lu arena_max %zu steps_max %llu", sums.files, sums.bytes,
	       sums.findings, sums.internal, sums.arena_max, (unsigned long long)sums.steps_max);
	for (unsigned action = 0; action < POLICY_ACTIONS; action++)
		printf(" %s %u", policy_action_word((enum policy_action)action), sums.actions[action]);
	printf("\n");
	return sums.internal != 0;
}
