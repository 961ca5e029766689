/*
 * Whole dialogues on the client machine. A row is what the next hop says and what comes of it, written as words: what
 * we send (">MAIL FROM:<a@b>") and the events. Each row is fed whole and split at each byte; "|" in a row stands for
 * "nothing more has come yet".
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtp/client.h"

#include <stdio.h>
#include <stdlib.h>

enum option {
	LMTP = 1 << 0,
	TLS_NEVER = 1 << 1,
	TLS_REQUIRED = 1 << 2,
	TLS_ON = 1 << 3,
	AUTH = 1 << 4,
	AUTH_IN_CLEAR = 1 << 5,
	CHUNKS = 1 << 6,
	NO_PIPELINING = 1 << 7,
	ONE_RECIPIENT = 1 << 8,
	NO_DATA = 1 << 9,
	UTF8 = 1 << 10,
	EIGHTBIT = 1 << 11,
	DSN = 1 << 12,
	TWICE = 1 << 13, /* two transactions */
	LARGE = 1 << 14, /* of 1000 bytes, not 5 */
	UNSAFE = 1 << 15,
	SLOW_BODY = 1 << 16, /* the body is never sent whole */
	QUITS = 1 << 17,
};

struct row {
	const char *name;
	unsigned    options;
	const char *says;
	const char *expected;
	enum rc     lost; /* what it means when the connection ends here */
};

#define HI      "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 SIZE 100\r\n"
#define HI_SAYS ">EHLO me READY "
#define SENT    ">MAIL FROM:<a@b> SIZE=5 >RCPT TO:<c@d> >RCPT TO:<e@f> >DATA "

static const struct row lawful[] = {
	{ "one message to two", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY RESULT(all,250) DONE", RC_OK },
	{ "one of two refused", 0, HI "250 s\r\n550 5.1.1 no\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,550 5.1.1) RECIPIENT(1,250) BODY RESULT(all,250) DONE", RC_OK },
	{ "both refused, DATA refused, the next one begins with RSET", TWICE,
	  HI "250 s\r\n550 n\r\n550 n\r\n554 n\r\n250 reset\r\n250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,550) RECIPIENT(1,550) DONE >RSET " SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY "
	               "RESULT(all,250) DONE",
	  RC_OK },
	{ "both refused, DATA accepted: an empty message for nobody", TWICE,
	  HI "250 s\r\n550 n\r\n550 n\r\n354 go\r\n554 none\r\n250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,550) RECIPIENT(1,550) >. DONE " SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY "
	               "RESULT(all,250) DONE",
	  RC_OK },
	{ "the sender refused", 0, HI "550 5.7.1 s\r\n503 r\r\n503 r\r\n503 d\r\n",
	  HI_SAYS SENT "SENDER(550 5.7.1) DONE", RC_OK },
	{ "the sender refused and DATA accepted all the same", 0, HI "451 s\r\n503 r\r\n503 r\r\n354 d\r\n250 well\r\n",
	  HI_SAYS SENT "SENDER(451) >. DONE", RC_OK },
	{ "DATA refused", 0, HI "250 s\r\n250 r\r\n250 r\r\n451 4.3.0 d\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) RESULT(all,451 4.3.0) DONE", RC_OK },
	{ "refused after the dot", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n554 5.7.1 spam\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY RESULT(all,554 5.7.1) DONE", RC_OK },
	{ "made redundant or not", 0,
	  HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n451 4.4.0 Message failed to be made redundant\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY RESULT(all,451 4.4.0) DONE", RC_OK },
	{ "too many recipients, by number", 0, HI "250 s\r\n250 r\r\n452 4.5.3 enough\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,452 4.5.3,many) BODY RESULT(all,250) DONE", RC_OK },
	{ "too many recipients, in words", 0, HI "250 s\r\n250 r\r\n552 Too many recipients\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,552,many) BODY RESULT(all,250) DONE", RC_OK },
	{ "a mailbox that is full", 0, HI "250 s\r\n250 r\r\n452 4.2.2 full\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,452 4.2.2) BODY RESULT(all,250) DONE", RC_OK },
	{ "without PIPELINING", ONE_RECIPIENT | TLS_NEVER, "220 mx\r\n250 mx\r\n250 s\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  ">EHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >DATA RECIPIENT(0,250) BODY RESULT(all,250) DONE", RC_OK },
	{ "with PIPELINING switched off", NO_PIPELINING, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS ">MAIL FROM:<a@b> SIZE=5 >RCPT TO:<c@d> >RCPT TO:<e@f> RECIPIENT(0,250) >DATA RECIPIENT(1,250) BODY "
	          "RESULT(all,250) DONE",
	  RC_OK },
	{ "without PIPELINING and without recipients", NO_PIPELINING, HI "250 s\r\n550 r\r\n550 r\r\n",
	  HI_SAYS ">MAIL FROM:<a@b> SIZE=5 >RCPT TO:<c@d> >RCPT TO:<e@f> RECIPIENT(0,550) RECIPIENT(1,550) DONE",
	  RC_OK },
	{ "HELO", ONE_RECIPIENT, "220 mx\r\n502 what\r\n250 mx\r\n250 s\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  ">EHLO me >HELO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >DATA RECIPIENT(0,250) BODY RESULT(all,250) DONE",
	  RC_OK },
	{ "replies of several lines, and in LF", 0,
	  "220-mx\n220 hi\n250-mx\n250-X-ANONYMOUSTLS\n250-X-EXPS GSSAPI NTLM\n250-BINARYMIME\n250-PIPELINING\n250 "
	  "SIZE 100\n"
	  "250-s\n250 s\n250 r\n250 r\n354 go\n250-o\n250 k\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY RESULT(all,250) DONE", RC_OK },
	{ "a chunk", CHUNKS | ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n250 s\r\n250 r\r\n250 ok\r\n",
	  ">EHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >BDAT 5 LAST RECIPIENT(0,250) BODY(chunked) RESULT(all,250) "
	  "DONE",
	  RC_OK },
	{ "a chunk refused", CHUNKS | ONE_RECIPIENT | TWICE,
	  "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n250 s\r\n250 r\r\n552 big\r\n250 reset\r\n550 "
	  "s\r\n503 r\r\n",
	  ">EHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >BDAT 5 LAST RECIPIENT(0,250) BODY(chunked) RESULT(all,552) "
	  "DONE "
	  ">RSET >MAIL FROM:<a@b> >RCPT TO:<c@d> SENDER(550) DONE",
	  RC_OK },
	{ "no chunk without a recipient", CHUNKS | ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n250 s\r\n550 r\r\n",
	  ">EHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> RECIPIENT(0,550) DONE", RC_OK },
	{ "LMTP", LMTP,
	  "220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n452 "
	  "4.2.2 full\r\n",
	  ">LHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >RCPT TO:<e@f> >DATA RECIPIENT(0,250) RECIPIENT(1,250) BODY "
	  "RESULT(0,250) RESULT(1,452 4.2.2) DONE",
	  RC_OK },
	{ "LMTP, the first refused", LMTP,
	  "220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 s\r\n550 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  ">LHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >RCPT TO:<e@f> >DATA RECIPIENT(0,550) RECIPIENT(1,250) BODY "
	  "RESULT(1,250) DONE",
	  RC_OK },
	{ "call-ahead", NO_DATA | ONE_RECIPIENT | TWICE, HI "250 s\r\n550 5.1.1 no\r\n250 reset\r\n250 s\r\n250 r\r\n",
	  HI_SAYS ">MAIL FROM:<a@b> SIZE=5 >RCPT TO:<c@d> RECIPIENT(0,550 5.1.1) DONE >RSET >MAIL FROM:<a@b> SIZE=5 "
	          ">RCPT TO:<c@d> RECIPIENT(0,250) DONE",
	  RC_OK },
	{ "STARTTLS", ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n220 go\r\n|250-mx\r\n250 PIPELINING\r\n",
	  ">EHLO me >STARTTLS STARTTLS >EHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >DATA", RC_CLOSED },
	{ "STARTTLS refused, not needed", ONE_RECIPIENT, "220 mx\r\n250-mx\r\n250 STARTTLS\r\n454 4.7.0 no\r\n",
	  ">EHLO me >STARTTLS READY >MAIL FROM:<a@b>", RC_CLOSED },
	{ "AUTH PLAIN", AUTH | TLS_ON | ONE_RECIPIENT, "220 mx\r\n250-mx\r\n250 AUTH LOGIN PLAIN XOAUTH2\r\n235 ok\r\n",
	  ">EHLO me >AUTH PLAIN AHVzZXIAcGFzcw== READY >MAIL FROM:<a@b>", RC_CLOSED },
	{ "AUTH PLAIN, asked again", AUTH | TLS_ON | ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250 AUTH PLAIN\r\n334 \r\n235 ok\r\n",
	  ">EHLO me >AUTH PLAIN AHVzZXIAcGFzcw== >AHVzZXIAcGFzcw== READY >MAIL FROM:<a@b>", RC_CLOSED },
	{ "AUTH LOGIN", AUTH | TLS_ON | ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250 AUTH=LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n",
	  ">EHLO me >AUTH LOGIN >dXNlcg== >cGFzcw== READY >MAIL FROM:<a@b>", RC_CLOSED },
	{ "AUTH in clear where that is allowed", AUTH | AUTH_IN_CLEAR | TLS_NEVER | ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250 AUTH PLAIN\r\n235 ok\r\n",
	  ">EHLO me >AUTH PLAIN AHVzZXIAcGFzcw== READY >MAIL FROM:<a@b>", RC_CLOSED },
	{ "all parameters", DSN | EIGHTBIT | UTF8 | ONE_RECIPIENT,
	  "220 mx\r\n250-mx\r\n250-DSN\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE\r\n250 s\r\n",
	  ">EHLO me READY >MAIL FROM:<a@b> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By "
	  ">RCPT TO:<c@d> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@p",
	  RC_CLOSED },
	{ "parameters that are not offered are not sent", DSN | EIGHTBIT | ONE_RECIPIENT,
	  "220 mx\r\n250 mx\r\n250 s\r\n", ">EHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d>", RC_CLOSED },
	{ "QUIT", QUITS, HI "221 bye\r\n", HI_SAYS ">QUIT CLOSING(221)", RC_OK },
};

static const struct row unlawful[] = {
	{ "lost before the greeting", 0, "", "", RC_OK },
	{ "lost after RCPT", 0, HI "250 s\r\n250 r\r\n", HI_SAYS SENT "RECIPIENT(0,250)", RC_CLOSED },
	{ "lost in the body", SLOW_BODY, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY", RC_CLOSED },
	{ "lost after the dot", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY", RC_UNCERTAIN },
	{ "lost inside the last reply", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n250-o\r\n250",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY", RC_UNCERTAIN },
	{ "lost after the dot for nobody", 0, HI "250 s\r\n550 r\r\n550 r\r\n354 go\r\n",
	  HI_SAYS SENT "RECIPIENT(0,550) RECIPIENT(1,550) >.", RC_CLOSED },
	{ "LMTP lost between results", LMTP,
	  "220 mx\r\n250-mx\r\n250 PIPELINING\r\n250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  ">LHLO me READY >MAIL FROM:<a@b> >RCPT TO:<c@d> >RCPT TO:<e@f> >DATA RECIPIENT(0,250) RECIPIENT(1,250) BODY "
	  "RESULT(0,250)",
	  RC_UNCERTAIN },
	{ "rubbish after the dot", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\nwhat?\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY BROKEN(syntax)", RC_UNCERTAIN },
	{ "421 after the dot is an answer", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n421 4.3.2 down\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY CLOSING(421 4.3.2)", RC_OK },
	{ "421 to RCPT", 0, HI "250 s\r\n250 r\r\n421 4.3.2 down\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) CLOSING(421 4.3.2)", RC_OK },
	{ "421 instead of a greeting", 0, "421 busy\r\n", "CLOSING(421)", RC_OK },
	{ "554 instead of a greeting", 0, "554 no\r\n221 bye\r\n", ">QUIT REFUSED(greeting,554) CLOSING(221)", RC_OK },
	{ "a greeting that is no SMTP", 0, "SSH-2.0-x\r\n", "BROKEN(syntax)", RC_OK },
	{ "EHLO deferred", 0, "220 mx\r\n450 later\r\n", ">EHLO me >QUIT REFUSED(ehlo,450)", RC_OK },
	{ "EHLO answered 521", 0, "220 mx\r\n521 never\r\n", ">EHLO me >QUIT REFUSED(ehlo,521)", RC_OK },
	{ "EHLO and HELO refused", 0, "220 mx\r\n550 no\r\n550 no\r\n", ">EHLO me >HELO me >QUIT REFUSED(ehlo,550)",
	  RC_OK },
	{ "LHLO refused", LMTP, "220 mx\r\n500 no\r\n", ">LHLO me >QUIT REFUSED(ehlo,500)", RC_OK },
	{ "TLS needed and not offered", TLS_REQUIRED, "220 mx\r\n250 mx\r\n", ">EHLO me >QUIT REFUSED(starttls,0)",
	  RC_OK },
	{ "TLS needed and HELO only", TLS_REQUIRED, "220 mx\r\n500 what\r\n250 mx\r\n",
	  ">EHLO me >HELO me >QUIT REFUSED(starttls,0)", RC_OK },
	{ "TLS needed and refused", TLS_REQUIRED, "220 mx\r\n250-mx\r\n250 STARTTLS\r\n454 no\r\n",
	  ">EHLO me >STARTTLS >QUIT REFUSED(starttls,454)", RC_OK },
	{ "AUTH not offered", AUTH | TLS_ON, "220 mx\r\n250 mx\r\n", ">EHLO me >QUIT REFUSED(auth,0)", RC_OK },
	{ "AUTH without TLS", AUTH | TLS_NEVER, "220 mx\r\n250-mx\r\n250 AUTH PLAIN\r\n",
	  ">EHLO me >QUIT REFUSED(auth,0)", RC_OK },
	{ "AUTH refused", AUTH | TLS_ON, "220 mx\r\n250-mx\r\n250 AUTH PLAIN\r\n535 5.7.8 no\r\n",
	  ">EHLO me >AUTH PLAIN AHVzZXIAcGFzcw== >QUIT REFUSED(auth,535 5.7.8)", RC_OK },
	{ "AUTH asked for ever", AUTH | TLS_ON, "220 mx\r\n250-mx\r\n250 AUTH PLAIN\r\n334 \r\n334 \r\n",
	  ">EHLO me >AUTH PLAIN AHVzZXIAcGFzcw== >AHVzZXIAcGFzcw== >QUIT REFUSED(auth,334)", RC_OK },
	{ "a reply nobody asked for", QUITS | SLOW_BODY, HI "250 surprise\r\n", HI_SAYS "BROKEN(syntax)", RC_OK },
	{ "354 to MAIL", 0, HI "354 go\r\n", HI_SAYS SENT "BROKEN(syntax)", RC_CLOSED },
	{ "250 to DATA", 0, HI "250 s\r\n250 r\r\n250 r\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BROKEN(syntax)", RC_CLOSED },
	{ "354 after the dot", 0, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n354 go\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY BROKEN(syntax)", RC_UNCERTAIN },
	{ "refused in the middle of the body", SLOW_BODY, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n552 5.3.4 big\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY RESULT(all,552 5.3.4) CLOSING(0)", RC_OK },
	{ "accepted in the middle of the body", SLOW_BODY, HI "250 s\r\n250 r\r\n250 r\r\n354 go\r\n250 ok\r\n",
	  HI_SAYS SENT "RECIPIENT(0,250) RECIPIENT(1,250) BODY BROKEN(syntax)", RC_CLOSED },
	{ "codes of one reply that differ", 0, "220-mx\r\n250 mx\r\n", "BROKEN(syntax)", RC_OK },
	{ "SMTPUTF8 not offered", UTF8, HI, HI_SAYS "start:unsupported", RC_OK },
	{ "larger than their SIZE", LARGE, HI, HI_SAYS "start:limit", RC_OK },
	{ "an address with a line end inside", UNSAFE, HI, HI_SAYS "start:syntax", RC_OK },
};

struct session {
	struct smtp_client           client;
	struct smtp_client_config    config;
	struct smtp_client_envelope  envelope;
	struct smtp_client_recipient recipients[2];
	struct buf                   out, log, rest;
	unsigned                     options, started;
};

static void word(struct session *s, const char *text)
{
	if (s->log.len != 0)
		buf_put_byte(&s->log, ' ');
	buf_put_str(&s->log, text);
}

static void log_sent(struct session *s)
{
	struct slice rest = buf_slice(&s->out);

	while (rest.len != 0) {
		struct slice line = slice_until(&rest, '\n');
		assert_int_equal(slice_last(line), '\r');
		word(s, ">");
		buf_put(&s->log, slice_take(line, line.len - 1));
	}
	buf_clear(&s->out);
}

static void log_reply(struct session *s, const char *name, const char *front, const struct smtp_reply_read *reply,
                      bool many)
{
	word(s, name);
	buf_printf(&s->log, "(%s%u", front, reply->code);
	if (reply->enhanced.class != 0)
		buf_printf(&s->log, " %u.%u.%u", reply->enhanced.class, reply->enhanced.subject,
		           reply->enhanced.detail);
	buf_put_str(&s->log, many ? ",many)" : ")");
}

static void start(struct session *s)
{
	const unsigned wanted = s->options & TWICE ? 2 : 1;

	if (s->options & QUITS) {
		if (!(s->options & SLOW_BODY))
			smtp_client_quit(&s->client, &s->out);
		return;
	}
	if (s->started == wanted)
		return;
	s->started++;
	const enum rc rc = smtp_client_start(&s->client, &s->envelope, &s->out);
	if (rc != RC_OK) {
		word(s, "start:");
		buf_put_str(&s->log, rc_word(rc));
		assert_int_equal(s->out.len, 0);
		assert_true(smtp_client_ready(&s->client));
	}
}

static void on_event(struct session *s, const struct smtp_client_event *event)
{
	char front[32];

	switch (event->kind) {
	case SMTP_CLIENT_STARTTLS:
		word(s, "STARTTLS");
		smtp_client_tls_started(&s->client, &s->out);
		break;
	case SMTP_CLIENT_READY:
		word(s, "READY");
		start(s);
		break;
	case SMTP_CLIENT_SENDER:
		log_reply(s, "SENDER", "", &event->reply, false);
		break;
	case SMTP_CLIENT_RECIPIENT:
		snprintf(front, sizeof front, "%zu,", event->index);
		assert_int_equal(event->accepted, event->reply.code < 300);
		log_reply(s, "RECIPIENT", front, &event->reply, event->too_many);
		break;
	case SMTP_CLIENT_BODY:
		word(s, event->chunked ? "BODY(chunked)" : "BODY");
		if (!(s->options & SLOW_BODY))
			smtp_client_body_sent(&s->client);
		break;
	case SMTP_CLIENT_RESULT:
		snprintf(front, sizeof front, "%zu,", event->index);
		log_reply(s, "RESULT", event->index == SMTP_CLIENT_ALL ? "all," : front, &event->reply, false);
		assert_int_equal(event->accepted, event->reply.code < 300);
		break;
	case SMTP_CLIENT_DONE:
		word(s, "DONE");
		start(s);
		break;
	case SMTP_CLIENT_REFUSED:
		snprintf(front, sizeof front, "%s,", smtp_client_stage_word(event->stage));
		log_reply(s, "REFUSED", front, &event->reply, false);
		break;
	case SMTP_CLIENT_CLOSING:
		log_reply(s, "CLOSING", "", &event->reply, false);
		break;
	case SMTP_CLIENT_BROKEN:
		word(s, "BROKEN(");
		buf_put_str(&s->log, rc_word(event->rc));
		buf_put_byte(&s->log, ')');
		break;
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_COUNT:
		break;
	}
}

static void feed(struct session *s, struct slice bytes)
{
	buf_put(&s->rest, bytes);
	for (;;) {
		struct smtp_client_event event;
		const size_t             size = s->rest.len;
		uint8_t                 *exact = malloc(size == 0 ? 1 : size);
		assert_non_null(exact);
		if (size != 0)
			memcpy(exact, s->rest.ptr, size);
		struct slice                      input = { exact, size };
		const enum smtp_client_event_kind kind = smtp_client_feed(&s->client, &input, &s->out, &event);
		log_sent(s);
		on_event(s, &event);
		log_sent(s);
		buf_drop(&s->rest, size - input.len);
		free(exact);
		if (kind == SMTP_CLIENT_NONE || kind == SMTP_CLIENT_BROKEN)
			break;
	}
}

static void session_begin(struct session *s, unsigned options)
{
	*s = (struct session){
		.config = {
			.host = SLICE("me"),
			.tls = SMTP_CLIENT_TLS_IF_OFFERED,
			.tls_on_connect = (options & TLS_ON) != 0,
			.lmtp = (options & LMTP) != 0,
			.pipelining = !(options & NO_PIPELINING),
			.chunking = (options & CHUNKS) != 0,
			.auth_in_clear = (options & AUTH_IN_CLEAR) != 0,
		},
		.recipients = { { .address = SLICE("c@d") }, { .address = SLICE("e@f") } },
		.envelope = {
			.sender = SLICE("a@b"),
			.count = options & ONE_RECIPIENT ? 1 : 2,
			.size = options & LARGE ? 101 : 5,
			.eightbit = (options & EIGHTBIT) != 0,
			.smtputf8 = (options & UTF8) != 0,
			.no_data = (options & NO_DATA) != 0,
		},
		.out = buf_make(10000),
		.log = buf_make(10000),
		.rest = buf_make(10000),
		.options = options,
	};
	s->envelope.recipients = s->recipients;
	if (options & TLS_NEVER)
		s->config.tls = SMTP_CLIENT_TLS_NEVER;
	if (options & TLS_REQUIRED)
		s->config.tls = SMTP_CLIENT_TLS_REQUIRED;
	if (options & AUTH) {
		s->config.user = SLICE("user");
		s->config.password = SLICE("pass");
	}
	if (options & DSN) {
		s->envelope.ret = SMTP_RET_HDRS;
		s->envelope.envid = SLICE("x+2By");
		s->recipients[0].notify = SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY;
		s->recipients[0].orcpt = SLICE("rfc822;o@p");
	}
	if (options & UNSAFE)
		s->recipients[1].address = SLICE("e@f>\r\nDATA");
	smtp_client_init(&s->client, &s->config);
}

static void session_end(struct session *s)
{
	buf_done(&s->out);
	buf_done(&s->log);
	buf_done(&s->rest);
}

/* Feed `text` up to `cut`, then the rest; a "|" is always a cut and no byte. */
static void feed_parts(struct session *s, const char *text, size_t cut)
{
	struct slice rest = slice_str(text);
	size_t       at = 0;

	while (rest.len != 0) {
		const size_t bar = slice_find(rest, '|');
		struct slice part = slice_take(rest, bar);
		if (cut > at && cut < at + part.len) {
			feed(s, slice_take(part, cut - at));
			part = slice_drop(part, cut - at);
		}
		feed(s, part);
		at += bar + 1;
		rest = slice_drop(rest, bar + 1);
	}
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		for (size_t cut = strlen(row->says) + 1; cut-- > 0;) {
			struct session s;
			session_begin(&s, row->options);
			feed_parts(&s, row->says, cut);
			if (!slice_eq(slice_trim(buf_slice(&s.log)), slice_trim(slice_str(row->expected))))
				fail_msg("%s, cut at %zu:\n  got      %.*s\n  expected %s", row->name, cut,
				         (int)s.log.len, s.log.len != 0 ? (char *)s.log.ptr : "", row->expected);
			if (smtp_client_lost(&s.client) != row->lost)
				fail_msg("%s, cut at %zu: lost says %s", row->name, cut,
				         rc_word(smtp_client_lost(&s.client)));
			session_end(&s);
		}
	}
}

static void test_lawful(void **state)
{
	(void)state;
	check_rows(lawful, sizeof lawful / sizeof lawful[0]);
}

static void test_unlawful(void **state)
{
	(void)state;
	check_rows(unlawful, sizeof unlawful / sizeof unlawful[0]);
}

/* Response injection: what plain text says behind the 220 never reaches the session over TLS. */
static void test_injection(void **state)
{
	struct session           s;
	struct smtp_client_event event;
	struct slice             input = SLICE("220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n250-evil\r\n250 AUTH "
	                                                   "PLAIN\r\n");

	(void)state;
	session_begin(&s, 0);
	assert_int_equal(smtp_client_feed(&s.client, &input, &s.out, &event), SMTP_CLIENT_BROKEN);
	assert_int_equal(smtp_client_feed(&s.client, &input, &s.out, &event), SMTP_CLIENT_NONE);
	assert_int_equal(input.len, 0);
	session_end(&s);

	session_begin(&s, 0);
	input = SLICE("220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n");
	assert_int_equal(smtp_client_feed(&s.client, &input, &s.out, &event), SMTP_CLIENT_STARTTLS);
	input = SLICE("2");
	assert_int_equal(smtp_client_feed(&s.client, &input, &s.out, &event), SMTP_CLIENT_BROKEN);
	session_end(&s);
}

/* Many recipients: commands run at most a window ahead of their replies, and every recipient hears of its fate once. */
static void test_window(void **state)
{
	static struct smtp_client_recipient many[SMTP_CLIENT_RECIPIENTS_MAX];
	struct session                      s;
	size_t                              heard = 0, refused = 0, results = 0;

	(void)state;
	session_begin(&s, 0);
	for (size_t i = 0; i < SMTP_CLIENT_RECIPIENTS_MAX; i++)
		many[i].address = SLICE("x@y");
	s.envelope.recipients = many;
	s.envelope.count = SMTP_CLIENT_RECIPIENTS_MAX;
	s.options |= QUITS | SLOW_BODY;
	feed(&s, SLICE(HI));
	assert_int_equal(smtp_client_start(&s.client, &s.envelope, &s.out), RC_OK);
	size_t asked = 0;
	bool   body = false;
	for (unsigned turn = 0; !body; turn++) {
		assert_true(turn < 3000);
		struct slice sent = buf_slice(&s.out);
		size_t       lines = 0;
		for (size_t i = 0; i < sent.len; i++)
			lines += sent.ptr[i] == '\n';
		assert_true(lines <= SMTP_CLIENT_WINDOW);
		struct buf replies = buf_make(10000);
		while (sent.len != 0) {
			const struct slice line = slice_until(&sent, '\n');
			buf_put_str(&replies, slice_starts(line, SLICE("DATA")) ? "354 x\r\n"
			                      : asked++ % 3 == 2                ? "550 x\r\n"
			                                                        : "250 x\r\n");
		}
		buf_clear(&s.out);
		struct slice             input = buf_slice(&replies);
		struct smtp_client_event event;
		while (smtp_client_feed(&s.client, &input, &s.out, &event) != SMTP_CLIENT_NONE && !body) {
			if (event.kind == SMTP_CLIENT_RECIPIENT) {
				assert_int_equal(event.index, heard);
				heard++;
				refused += !event.accepted;
			}
			body = event.kind == SMTP_CLIENT_BODY;
		}
		buf_done(&replies);
	}
	assert_int_equal(heard, SMTP_CLIENT_RECIPIENTS_MAX);
	assert_int_equal(refused + s.client.accepted, SMTP_CLIENT_RECIPIENTS_MAX);
	smtp_client_body_sent(&s.client);
	struct slice             input = SLICE("250 ok\r\n");
	struct smtp_client_event event;
	while (smtp_client_feed(&s.client, &input, &s.out, &event) != SMTP_CLIENT_NONE)
		results += event.kind == SMTP_CLIENT_RESULT;
	assert_int_equal(results, 1);
	session_end(&s);
}

/* What a peer calls a protocol error is counted over the whole session; other refusals are not. */
static void test_protocol_errors_are_counted(void **state)
{
	static const struct {
		const char *replies;
		uint32_t    errors;
	} rows[] = {
		{ HI "250 s\r\n250 r\r\n250 r\r\n", 0 },
		{ HI "250 s\r\n501 r\r\n250 r\r\n", 1 },
		{ HI "250 s\r\n550 r\r\n450 r\r\n", 0 },
		{ HI "250 s\r\n499 r\r\n505 r\r\n", 0 },
		{ HI "250 s\r\n500 r\r\n504 r\r\n503 d\r\n", 3 },
		{ "220 hi\r\n502 what\r\n250 hello\r\n503 s\r\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct session s;

		session_begin(&s, 0);
		feed(&s, slice_str(rows[i].replies));
		if (s.client.errors != rows[i].errors)
			fail_msg("row %zu: %u errors", i, s.client.errors);
		session_end(&s);
	}
}

/* The times of RFC 5321 section 4.5.3.2. */
static void test_timeouts(void **state)
{
	struct session s;

	(void)state;
	session_begin(&s, 0);
	assert_int_equal(smtp_client_timeout_s(&s.client), 300);
	feed(&s, SLICE(HI));
	assert_int_equal(s.client.stage, SMTP_STAGE_MAIL);
	assert_int_equal(smtp_client_timeout_s(&s.client), 300);
	feed(&s, SLICE("250 s\r\n250 r\r\n250 r\r\n"));
	assert_int_equal(s.client.stage, SMTP_STAGE_DATA);
	assert_int_equal(smtp_client_timeout_s(&s.client), 120);
	feed(&s, SLICE("354 go\r\n"));
	assert_int_equal(s.client.stage, SMTP_STAGE_FINAL);
	assert_int_equal(smtp_client_timeout_s(&s.client), 600);
	session_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lawful), cmocka_unit_test(test_unlawful), cmocka_unit_test(test_injection),
		cmocka_unit_test(test_window), cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_protocol_errors_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
