/*
 * How long one scan takes (processor time, best of several rounds), for messages like those of tests/bench/bench.py:
 * 4 KiB of text, 64 KiB with HTML and an attachment, and large attachments in base64.
 *
 *     bench scan.4k 9.8 us
 */
#include "base/buf.h"
#include "scan/serve.h"
#include "text/charset.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIELDS                                                                                                                                           \
	"Received: from mail.sender.example (mail.sender.example [192.0.2.7])\r\n\tby mx.hangu.example with ESMTPS id 0123456789ABC\r\n"                 \
	"\tfor <user@example.cn>; Sun, 22 Nov 2026 22:37:19 +0800\r\n"                                                                                   \
	"Received: from desk (desk.sender.example [198.51.100.9])\r\n\tby mail.sender.example with ESMTPSA id 4f2a; Sun, 22 Nov 2026 14:37:18 +0000\r\n" \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=s1;\r\n\th=from:to:subject:date:message-id; bh="                      \
	"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=dGhpcyBpcyBub3QgYSByZWFsIHNpZ25hdHVyZSBidXQgaXQgaXMgYXMgbG9uZw==\r\n"                      \
	"From: =?utf-8?B?5byg5LiJ?= <zhang.san@sender.example>\r\nTo: user@example.cn\r\n"                                                               \
	"Subject: =?utf-8?B?5YWz5LqO5LiL5ZGo5Lya6K6u55qE6YCa55+l?=\r\nDate: Sun, 22 Nov 2026 14:37:17 +0000\r\n"                                         \
	"Message-ID: <20261122143717.4f2a@sender.example>\r\nMIME-Version: 1.0\r\n"

static void text_put(struct buf *out, size_t size, const char *line)
{
	const size_t end = out->len + size;

	while (out->len < end)
		buf_put_str(out, line);
}

static void base64_put(struct buf *out, size_t size)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t      end = out->len + size;
	uint32_t          state = 1;

	while (out->len < end) {
		for (unsigned i = 0; i < 76; i++) {
			state = state * 1664525u + 1013904223u;
			buf_put_byte(out, (uint8_t)letters[state >> 26]);
		}
		buf_put_str(out, "\r\n");
	}
}

static void text_message(struct buf *out, size_t size)
{
	buf_put_str(out, FIELDS "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	text_put(out, size - out->len,
	         "The quick brown fox jumps over the lazy dog, and so on until the line is full.\r\n");
}

static void multipart_message(struct buf *out, size_t size)
{
	buf_put_str(out, FIELDS
	            "Content-Type: multipart/mixed; boundary=\"----=_Part_1_2.3\"\r\n\r\n------=_Part_1_2.3\r\n"
	            "Content-Type: multipart/alternative; boundary=\"----=_Part_4_5.6\"\r\n\r\n------=_Part_4_5.6\r\n"
	            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
	text_put(out, 4096, "The quick brown fox jumps over the lazy dog, and so on until the line is full.\r\n");
	buf_put_str(out, "\r\n------=_Part_4_5.6\r\nContent-Type: text/html; charset=utf-8\r\n"
	                 "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	text_put(out, 16384,
	         "<p style=3D\"color:#333;font-size:14px\">The quick brown fox =E4=B8=AD=E6=96=\r\n=87 jumps</p>\r\n");
	buf_put_str(
		out,
		"\r\n------=_Part_4_5.6--\r\n\r\n------=_Part_1_2.3\r\nContent-Type: application/pdf; name=\"report.pdf\"\r\n"
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\n\r\n");
	base64_put(out, size - out->len - 32);
	buf_put_str(out, "\r\n------=_Part_1_2.3--\r\n");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void measure(const char *name, void (*make)(struct buf *, size_t), size_t size, unsigned count)
{
	struct buf message = buf_make(SCAN_MESSAGE_MAX), frame = buf_make(SCAN_FRAME_MAX),
		   answer = buf_make(SCAN_FRAME_MAX);
	struct scan_server  server = { .known = false };
	struct arena        arena;
	struct scan_request request = {
		.options = { .cut = SCAN_CUT_ALL,
		             .limits = SCAN_LIMITS_STANDARD,
		             .own_name = SLICE("mx.hangu.example") },
	};
	double best = 1e9;

	make(&message, size);
	request.message_bytes = message.len;
	if (arena_init(&arena, SCAN_ARENA_BYTES) != RC_OK || scan_request_encode(&request, &frame) != RC_OK)
		abort();
	for (unsigned round = 0; round < 7; round++) {
		const double start = seconds();
		for (unsigned i = 0; i < count; i++)
			scan_serve_one(&server, buf_slice(&frame), buf_slice(&message), &arena, &answer);
		const double each = (seconds() - start) / count;
		best = each < best ? each : best;
	}
	printf("bench %s %.1f us (%zu bytes, %.2f GB/s)\n", name, best * 1e6, message.len,
	       (double)message.len / best / 1e9);
	buf_done(&message);
	buf_done(&frame);
	buf_done(&answer);
	arena_done(&arena);
}

int main(void)
{
	if (digest_ready() != RC_OK || charset_ready() != RC_OK)
		return 1;
	measure("scan.4k", text_message, 4096, 2000);
	measure("scan.64k", multipart_message, 65536, 500);
	measure("scan.1m", multipart_message, 1 << 20, 50);
	measure("scan.32m", multipart_message, 32 << 20, 2);
	measure("scan.text.1m", text_message, 1 << 20, 20);
	return 0;
}
