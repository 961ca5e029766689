/*
 * docs/formats/journal.md, read by a machine: its hexdump must be a journal that says what the page says. When the
 * format changes, `journal_format_test print` writes a new dump.
 */
#include "journal/event.h"

#include "base/memory.h"
#include "base/num.h"
#include "harness/journal_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define PAGE         "docs/formats/journal.md"
#define PAGE_MAX     (1u << 20)
#define SEGMENT_SIZE (64u << 10)
#define LINE_BYTES   16u

static struct rig rig; /* large */

static const char mail[] = "From: a@example.org\r\nTo: b@example.com\r\nSubject: hello\r\n\r\nHello.\r\n";

static const struct event_recipient recipient = { .address = SLICE_INIT("b@example.com") };

static struct event_message sample_message(void)
{
	return (struct event_message){
		.id = 1700000000000ull << 20 | 2,
		.session = 1700000000000ull << 20 | 1,
		.received_ms = 1700000000000,
		.origin = ORIGIN_SMTP,
		.direction = DIRECTION_INBOUND,
		.listener = SLICE("internet"),
		.peer = SLICE("192.0.2.1"),
		.peer_port = 40000,
		.helo = SLICE("client.example.org"),
		.sender = SLICE("a@example.org"),
		.body_size = sizeof mail - 1,
		.header_size = 58,
		.subject = SLICE("hello"),
		.author = SLICE("a@example.org"),
		.verdict = SLICE("clean"),
		.prefix = SLICE("X-Hangu-Class: clean\r\n"),
		.recipients = &recipient,
		.recipient_count = 1,
	};
}

static void ignore_answer(struct journal_group *group, enum rc rc)
{
	(void)group;
	if (rc != RC_OK)
		abort();
}

static void dump(const uint8_t *bytes, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += LINE_BYTES) {
		printf("%08llx ", (unsigned long long)at);
		for (uint64_t i = at; i < at + LINE_BYTES; i++)
			printf(i < to ? "%s%02x" : "%s  ", i == at + 8 ? "  " : " ", i < to ? bytes[i] : 0);
		printf("  |");
		for (uint64_t i = at; i < at + LINE_BYTES && i < to; i++)
			printf("%c", byte_is_print(bytes[i]) ? bytes[i] : '.');
		printf("|\n");
	}
}

/* The example of the page, made anew. */
static void print_example(void)
{
	struct event_message message = sample_message();
	struct buf           payload = buf_make(EVENT_PAYLOAD_MAX);
	const struct slice   body = slice_str(mail);

	rig_open(&rig, 1);
	if (rig_start(&rig) != RC_OK)
		abort();
	digest_of(&body, 1, &message.body_digest);
	event_message_put(&payload, &message);
	const struct slice  piece = buf_slice(&payload);
	struct journal_item items[] = {
		{ .type = EVENT_BODY, .body = true, .pieces = &body, .piece_count = 1 },
		{ .type = EVENT_MESSAGE, .pieces = &piece, .piece_count = 1 },
	};
	struct journal_group group = { .items = items, .item_count = 2, .answer = ignore_answer };
	if (journal_writer_submit(rig.writer, &group) != RC_OK)
		abort();
	journal_writer_step(rig.writer);
	const uint8_t *bytes = sim_disk_bytes(rig.sim, rig_segment(1));
	dump(bytes, 0, JOURNAL_SEGMENT_HEAD_USED);
	printf("...\n");
	dump(bytes, JOURNAL_SEGMENT_HEAD_SIZE, group.after.position.offset);
	buf_done(&payload);
	rig_close(&rig);
}

/* One line of the page, if it is one of a dump: eight digits of offset, then up to sixteen bytes. */
static void read_line(struct slice line, uint8_t *image, uint64_t *end)
{
	uint64_t at, byte;

	if (line.len < 60 || num_hex(slice_take(line, 8), SEGMENT_SIZE, &at) != RC_OK || slice_at(line, 8) != ' ')
		return;
	struct slice rest = slice_trim(slice_take(slice_drop(line, 8), 52));
	while (rest.len >= 2 && num_hex(slice_take(rest, 2), 255, &byte) == RC_OK) {
		assert_true(at < SEGMENT_SIZE);
		image[at++] = (uint8_t)byte;
		rest = slice_trim(slice_drop(rest, 2));
	}
	*end = at;
}

static uint64_t read_page(uint8_t *image)
{
	uint8_t *page = memory_take(1, PAGE_MAX);
	FILE    *file = fopen(PAGE, "r");
	uint64_t end = 0;

	assert_non_null(page);
	assert_non_null(file);
	struct slice rest = slice_of(page, fread(page, 1, PAGE_MAX, file));
	assert_int_equal(fclose(file), 0);
	while (rest.len != 0)
		read_line(slice_until(&rest, '\n'), image, &end);
	memory_give(page);
	return end;
}

static void the_dump_of_the_page_is_what_the_page_says(void **state)
{
	(void)state;
	static uint8_t               image[SEGMENT_SIZE];
	static uint8_t               memory[8192];
	struct arena                 arena = arena_on(memory, sizeof memory);
	const struct slice           body = slice_str(mail);
	const struct journal_record *records;
	struct journal_reader       *reader;
	struct event_message         message;
	struct digest                digest;
	struct fault                 fault = { .text = "" };
	size_t                       count;

	const uint64_t end = read_page(image);
	rig_open(&rig, 1);
	sim_disk_put(rig.sim, rig_segment(1), slice_of(image, sizeof image));
	assert_int_equal(journal_reader_open(rig.disk, NULL, JOURNAL_CHECK_ALL, &fault, &reader), RC_OK);

	assert_int_equal(journal_reader_next(reader, NULL, &records, &count, &fault), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(records[0].type, JOURNAL_TYPE_OPENED);
	assert_int_equal(records[0].place.position.seq, 1);

	assert_int_equal(journal_reader_next(reader, NULL, &records, &count, &fault), RC_OK);
	assert_int_equal(count, 2);
	assert_int_equal(records[0].type, EVENT_BODY);
	assert_int_equal(records[0].flags, JOURNAL_FLAG_BODY);
	assert_int_equal(records[0].place.bytes, body.len);
	digest_of(&body, 1, &digest);
	assert_true(digest_eq(&records[0].digest, &digest));
	assert_int_equal(records[1].type, EVENT_MESSAGE);
	assert_int_equal(records[1].flags, JOURNAL_FLAG_LAST);
	assert_int_equal(records[1].time_ms, 1700000000000);
	assert_int_equal(event_message_read(records[1].payload, &arena, &message), RC_OK);
	assert_true(slice_eq(message.sender, SLICE("a@example.org")));
	assert_int_equal(message.recipient_count, 1);
	assert_true(slice_eq(message.recipients[0].address, SLICE("b@example.com")));
	assert_true(digest_eq(&message.body_digest, &digest));

	assert_int_equal(journal_reader_next(reader, NULL, &records, &count, &fault), RC_CLOSED);
	assert_int_equal(journal_reader_end(reader).cut_bytes, 0);
	assert_int_equal(journal_reader_mark(reader).position.offset, end);
	journal_reader_close(&reader);
	rig_close(&rig);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dump_of_the_page_is_what_the_page_says),
	};

	if (argc == 2 && strcmp(argv[1], "print") == 0) {
		print_example();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
