/*
 * Reads files from standard input and prints what the opener of that kind tells about them; for tests/conformance/{image,pdf,objects}.py.
 * Everything happens in the box of a scanner, which closes after the libraries have been made ready: what opens a file, loads
 * a library or starts a thread ends here.
 *
 *   objects_answers KIND    frames on standard input: 4 bytes size (little-endian), 1 byte whether to read it cut, too, and the bytes
 *
 * A line for each thing told ("member FLAGS SIZE SHA256 KIND NAME", "text PLACE TEXT", "link PLACE ADDRESS", "fact NAME EVIDENCE", texts in
 * hexadecimal), then "end RC" for each frame.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/arena.h"
#include "document/outlook_msg.h"
#include "document/pdf.h"
#include "document/tnef.h"
#include "image/codes.h"
#include "image/decode.h"
#include "sys/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define CUT_EACH_BELOW 256u /* such a build takes ten times as long for each */
#else
#define CUT_EACH_BELOW 4096u
#endif
#define CUTS_BEYOND    64u
#define FRAME_MAX      ((size_t)256 << 20)

static struct code_reader *reader;
static uint8_t             memory[1 << 16];

static void put_hex(struct slice text)
{
	if (text.len == 0)
		putchar('-');
	for (size_t i = 0; i < text.len; i++)
		printf("%02x", text.ptr[i]);
}

static enum rc print_member(void *context, const struct content_member *member)
{
	struct digest digest;

	(void)context;
	digest_of(&member->bytes, 1, &digest);
	printf("member %u %zu ", member->flags, member->bytes.len);
	put_hex(slice_of(digest.bytes, sizeof digest.bytes));
	putchar(' ');
	put_hex(member->kind);
	putchar(' ');
	put_hex(member->name);
	putchar('\n');
	return RC_OK;
}

static enum rc print_text(void *context, enum content_place place, struct slice text)
{
	(void)context;
	printf("text %d ", (int)place);
	put_hex(text);
	putchar('\n');
	return RC_OK;
}

static enum rc print_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	(void)context;
	(void)shown;
	printf("link %d ", (int)place);
	put_hex(address);
	putchar('\n');
	return RC_OK;
}

static enum rc print_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	printf("fact %s ", content_fact_name(fact));
	put_hex(evidence);
	putchar('\n');
	return RC_OK;
}

static enum rc open_image(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct arena arena = arena_on(memory, sizeof memory);
	return codes_open(reader, bytes, &arena, budget, sink);
}

static enum rc open_pdf(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	static const struct slice passwords[] = { SLICE_INIT("    "), SLICE_INIT("password"), SLICE_INIT("000000") };
	return pdf_open(bytes, passwords, sizeof passwords / sizeof passwords[0], budget, sink);
}

static enum rc open_msg(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct arena arena;
	struct ole   ole;
	enum rc      rc = arena_init(&arena, OLE_ARENA(bytes.len));

	if (rc != RC_OK)
		return rc;
	rc = ole_open(bytes, budget, &arena, &ole);
	if (rc == RC_OK)
		rc = outlook_msg_open(&ole, budget, &arena, sink);
	arena_done(&arena);
	return rc;
}

static const struct {
	const char *name;
	enum rc (*open)(struct slice bytes, struct budget *budget, const struct content_sink *sink);
} kinds[] = {
	{ "image", open_image },
	{ "pdf", open_pdf },
	{ "tnef", tnef_open },
	{ "msg", open_msg },
};

static bool read_all(uint8_t *out, size_t size)
{
	while (size != 0) {
		const ssize_t came = read(0, out, size);
		if (came <= 0)
			return false;
		out += came;
		size -= (size_t)came;
	}
	return true;
}

/* Cut at every byte of the beginning and at places beyond it: nothing may break, whatever is told. */
static void open_cut(size_t kind, const uint8_t *bytes, size_t size)
{
	const struct content_sink silent = { .context = NULL };
	uint64_t                  seed = size * UINT64_C(2654435761) + 1;

	for (size_t i = 0; i < CUT_EACH_BELOW + CUTS_BEYOND; i++) {
		size_t cut = i;
		if (i >= CUT_EACH_BELOW && size > CUT_EACH_BELOW) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			cut = CUT_EACH_BELOW + (size_t)((seed >> 33) % (size - CUT_EACH_BELOW));
		}
		if (cut >= size)
			continue;
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		uint8_t      *exact = malloc(cut + 1);
		budget.left[BUDGET_STEPS] = 1 << 22;
		if (exact == NULL)
			exit(1);
		memcpy(exact, bytes, cut);
		(void)kinds[kind].open(slice_of(exact, cut), &budget, &silent);
		free(exact);
	}
}

int main(int argc, char **argv)
{
	const struct sandbox      box = { .role = "scan", .calls = SANDBOX_CALLS_COMPUTE, .network = SANDBOX_NET_NONE, SANDBOX_NO_PATHS };
	const struct content_sink sink = { .member = print_member, .text = print_text, .link = print_link, .fact = print_fact };
	struct sandbox_report     report;
	struct fault              fault = { .rc = RC_OK };
	static char               buffer[1 << 16];
	size_t                    kind = 0;
	uint8_t                   head[5];

	while (argc == 2 && kind < sizeof kinds / sizeof kinds[0] && strcmp(argv[1], kinds[kind].name) != 0)
		kind++;
	if (argc != 2 || kind == sizeof kinds / sizeof kinds[0]) {
		fprintf(stderr, "usage: objects_answers KIND\n");
		return 2;
	}
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	sandbox_name_breaches();
	if (digest_ready() != RC_OK || image_ready() != RC_OK || pdf_ready() != RC_OK || code_reader_open(&reader) != RC_OK ||
	    sandbox_enter(&box, NULL, &report, &fault) != RC_OK) {
		fprintf(stderr, "cannot be made ready\n");
		return 1;
	}
	while (read_all(head, sizeof head)) {
		const size_t  size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
		struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);
		uint8_t      *bytes = size > FRAME_MAX ? NULL : malloc(size + 1);
		if (bytes == NULL || !read_all(bytes, size))
			return 1;
		const enum rc rc = kinds[kind].open(slice_of(bytes, size), &budget, &sink);
		if (head[4] != 0)
			open_cut(kind, bytes, size);
		free(bytes);
		printf("end %s\n", rc_word(rc));
		fflush(stdout);
	}
	return 0;
}
