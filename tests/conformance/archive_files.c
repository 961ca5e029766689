/*
 * Walks through every file given as an archive of any kind, each in a process of its own inside a closed box, and prints what
 * came out. tests/conformance/archive.py holds that against the suites.
 *
 *   archive_files [--cuts] FILE...
 *
 * Lines, with tabs between the fields: F path size kinds odd; M depth flags size crc32 name; X fact evidence; L limit; E path status
 * cpu_ms memory_kib. With --cuts: each file cut at every byte up to CUTS_BYTES and at CUTS_SEEDED offsets behind; only E lines, status
 * 0 if all went well.
 */
#include "archive/open.h"
#include "base/codec.h"
#include "content/inflate.h"
#include "content/walk.h"
#include "sys/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define CUTS_BYTES 256u /* such a build takes ten times as long for each */
#else
#define CUTS_BYTES 4096u
#endif
#define CUTS_SEEDED 64u
#define TEXT_MAX    ((size_t)64 << 20)

/* A cut file is looked at with less, since there are thousands of them. */
#define CUTS_LIMITS ((struct budget_limits){ .bytes = 4u << 20, .items = 2000, .steps = 1u << 26, .depth = 4, .tries = 4 })

/* What the limit on address space does in the scanner: an archive that asks for gigabytes gets none. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

static struct buf           text;
static uint8_t              memory[1 << 16];
static struct arena         arena;
static struct password_list passwords;

static void put_hex(uint32_t number)
{
	static const char digits[] = "0123456789abcdef";

	for (int shift = 28; shift >= 0; shift -= 4)
		buf_put_byte(&text, (uint8_t)digits[number >> shift & 15]);
}

static enum rc on_visit(void *context, const struct content_member *member, const struct sniff *kinds, unsigned depth)
{
	(void)context;
	(void)kinds;
	if (depth == 0)
		return RC_OK;
	buf_put_str(&text, "M\t");
	buf_put_u64(&text, depth);
	buf_put_byte(&text, '\t');
	buf_put_u64(&text, member->flags);
	buf_put_byte(&text, '\t');
	buf_put_u64(&text, member->bytes.len);
	buf_put_byte(&text, '\t');
	put_hex(inflate_crc32(0, member->bytes));
	buf_put_byte(&text, '\t');
	codec_quote(member->name, 4000, &text);
	buf_put_byte(&text, '\n');
	return RC_OK;
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	buf_put_str(&text, "X\t");
	buf_put_str(&text, content_fact_name(fact));
	buf_put_byte(&text, '\t');
	codec_quote(evidence, 800, &text);
	buf_put_byte(&text, '\n');
	return RC_OK;
}

static void kinds_put(const char *path, struct slice bytes)
{
	struct sniff s;

	sniff(bytes, slice_str(path), slice_of(NULL, 0), &s);
	buf_put_str(&text, "F\t");
	buf_put_str(&text, path);
	buf_put_byte(&text, '\t');
	buf_put_u64(&text, bytes.len);
	buf_put_byte(&text, '\t');
	for (size_t i = 0; i < s.count; i++) {
		buf_put_str(&text, i == 0 ? "" : " ");
		buf_put_str(&text, kind_word(s.hits[i].kind));
	}
	buf_put_byte(&text, '\t');
	buf_put_u64(&text, s.odd);
	buf_put_byte(&text, '\n');
}

static enum rc walk(struct slice bytes, const struct budget_limits *limits)
{
	static const char *const    words[BUDGET_PARTS] = { "bytes", "items", "steps", "depth", "tries" };
	struct budget               budget = budget_make(limits);
	const struct content_opener openers[] = { { &passwords, archive_open } };
	const struct content_sink   sink = { .fact = on_fact };
	const struct walk_plan      plan = { openers, 1, &budget, on_visit, NULL, &sink };

	arena = arena_on(memory, sizeof memory);
	password_init(&passwords, &arena);
	/* the passwords of the suites' files, as a message would say them */
	if (password_text(&passwords, SLICE("password: 12345678\npassword: password\npassword: tika\npassword: Tika\n")) != RC_OK)
		return RC_NOMEM;
	const enum rc rc = content_walk(&plan, &(struct content_member){ .bytes = bytes });
	for (int part = 0; part < BUDGET_PARTS; part++) {
		if (!budget.cut[part])
			continue;
		buf_put_str(&text, "L\t");
		buf_put_str(&text, words[part]);
		buf_put_byte(&text, '\n');
	}
	return rc;
}

static int cuts(struct slice whole)
{
	uint64_t seed = 0x9e3779b97f4a7c15u + whole.len;

	for (size_t i = 0; i < CUTS_BYTES + CUTS_SEEDED; i++) {
		size_t cut = i;
		if (i >= CUTS_BYTES) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			cut = whole.len <= CUTS_BYTES ? whole.len : CUTS_BYTES + (size_t)(seed >> 33) % (whole.len - CUTS_BYTES);
		}
		if (cut > whole.len)
			continue;
		/* exactly as large, so that a sanitizer sees a read behind the end */
		uint8_t *exact = malloc(cut == 0 ? 1 : cut);
		if (exact == NULL)
			return 3;
		memcpy(exact, whole.ptr, cut);
		const enum rc rc = walk(slice_of(exact, cut), &CUTS_LIMITS);
		free(exact);
		buf_clear(&text);
		if (rc != RC_OK && rc != RC_NOMEM)
			return 2;
	}
	return 0;
}

static void child(const char *path, struct slice bytes, bool cut)
{
	static const struct sandbox box = {
		.role = "scan", .calls = SANDBOX_CALLS_COMPUTE, .network = SANDBOX_NET_NONE, SANDBOX_NO_PATHS, .memory_max = (uint64_t)2 << 30
	};
	struct fault fault = { .text = "" };

	text = buf_make(TEXT_MAX);
	if (sandbox_enter(&box, NULL, NULL, &fault) != RC_OK) {
		fprintf(stderr, "no box: %s\n", fault.text);
		_exit(9);
	}
	int status = 0;
	if (cut) {
		status = cuts(bytes);
	} else {
		kinds_put(path, bytes);
		status = (int)walk(bytes, &BUDGET_LIMITS_STANDARD);
	}
	for (struct slice rest = buf_slice(&text); rest.len != 0;) {
		const ssize_t count = write(1, rest.ptr, rest.len);
		if (count <= 0)
			_exit(8);
		rest = slice_drop(rest, (size_t)count);
	}
	_exit(status);
}

static bool file_take(const char *path, bool cut)
{
	FILE   *file = fopen(path, "rb");
	long    size = -1;
	uint8_t *bytes = NULL;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0)
		bytes = malloc((size_t)size + 1);
	const bool whole = bytes != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size;
	if (file != NULL)
		fclose(file);
	if (!whole) {
		fprintf(stderr, "cannot read %s\n", path);
		free(bytes);
		return false;
	}
	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0)
		child(path, slice_of(bytes, (size_t)size), cut);
	free(bytes);
	int           status = 0;
	struct rusage usage;
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return false;
	const long cpu = usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 + usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
	printf("E\t%s\t%d\t%ld\t%ld\n", path, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), cpu, usage.ru_maxrss);
	return true;
}

int main(int argc, char **argv)
{
	const bool cut = argc > 1 && strcmp(argv[1], "--cuts") == 0;
	bool       good = true;

	if (archive_ready() != RC_OK) {
		fprintf(stderr, "libarchive does not work here\n");
		return 1;
	}
	sandbox_name_breaches();
	for (int i = cut ? 2 : 1; i < argc; i++)
		good = file_take(argv[i], cut) && good;
	return good ? 0 : 1;
}
