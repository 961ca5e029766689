/*
 * Whole dialogues on the server machine. A row is what the peer sends and what comes of it, written as words: events
 * ("MAIL(a@b.example)"), the message ("BODY(...)", one word however it came in) and the codes of the replies
 * ("250/2.1.0"). Each row is fed whole and split at each byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "smtp/server.h"

#include <stdio.h>
#include <stdlib.h>

enum option {
	TLS_ON = 1 << 0,
	TLS_REQUIRED = 1 << 1,
	AUTH_REQUIRED = 1 << 2,
	NORMALISE = 1 << 3,
	ANY_BYTES = 1 << 4,
	LMTP = 1 << 5,
	XCLIENT = 1 << 6,
	LONG_ADDRESSES = 1 << 7,
	NO_CHUNKING = 1 << 8,
	NO_DSN = 1 << 9,
	SMALL = 1 << 10,      /* messages of at most 20 bytes */
	FEW_ERRORS = 1 << 11, /* at most 2 */
	ONE_RECIPIENT = 1 << 12,
	REFUSE_DATA = 1 << 13, /* 452 */
	REFUSE_BODY = 1 << 14, /* in the middle: 451 */
	REFUSE_END = 1 << 15,  /* 554 */
	SHORT_LINES = 1 << 16, /* of at most 10 bytes in a message */
	NO_AUTH = 1 << 17,
	NO_PIPELINING = 1 << 18,
};

struct row {
	const char  *name;
	unsigned     options;
	struct slice input;
	const char  *expected;
};

#define ROW(row_name, row_options, row_input, row_expected)                                                            \
	{                                                                                                              \
		(row_name), (row_options), { (const uint8_t *)"" row_input "", sizeof(row_input) - 1 }, (row_expected) \
	}

#define HI      "EHLO c.example\r\n"
#define HI_SAYS "HELLO(c.example) 250 "
#define TO      "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
#define TO_SAYS "MAIL(a@b.example) 250/2.1.0 RCPT(c@d.example) 250/2.1.5 "

static const struct row lawful[] = {
	ROW("one message", 0, HI TO "DATA\r\nHi\r\n.\r\nQUIT\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(Hi\\r\\n) END 250/2.0.0 221/2.0.0 QUIT CLOSE(none)"),
	ROW("two messages", 0, HI TO "DATA\r\n1\r\n.\r\n" TO "DATA\r\n2\r\n.\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(1\\r\\n) END 250/2.0.0 " TO_SAYS "DATA 354 BODY(2\\r\\n) END 250/2.0.0"),
	ROW("an empty message", 0, HI TO "DATA\r\n.\r\n", HI_SAYS TO_SAYS "DATA 354 END 250/2.0.0"),
	ROW("HELO", 0, "HELO c.example\r\n" TO, HI_SAYS TO_SAYS),
	ROW("verbs in any case", 0, "ehlo c.example\r\nMail From:<>\r\nrcpt to:<x@y>\r\n",
	    HI_SAYS "MAIL() 250/2.1.0 RCPT(x@y) 250/2.1.5"),
	ROW("EHLO again ends the transaction", 0, HI TO HI TO, HI_SAYS TO_SAYS HI_SAYS TO_SAYS),
	ROW("RSET ends the transaction", 0, HI TO "RSET\r\n" TO, HI_SAYS TO_SAYS "250/2.0.0 RESET " TO_SAYS),
	ROW("RSET before EHLO", 0, "RSET\r\n", "250/2.0.0 RESET"),
	ROW("NOOP with words", 0, "NOOP what ever\r\n", "250/2.0.0"),
	ROW("HELP", 0, "HELP me\r\n", "214/2.0.0"),
	ROW("VRFY and EXPN", 0, HI "VRFY a\r\nEXPN b\r\n", HI_SAYS "252/2.1.5 VRFY(a) 502/5.5.1 REFUSED(not-offered)"),
	ROW("one of two recipients refused", 0,
	    HI "MAIL FROM:<a@b>\r\nRCPT TO:<bad@d>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 RCPT(bad@d) 550/5.1.1 RCPT(c@d) 250/2.1.5 DATA 354 END 250/2.0.0"),
	ROW("sender refused, another one taken", 0, HI "MAIL FROM:<bad@b>\r\nMAIL FROM:<a@b>\r\n",
	    HI_SAYS "MAIL(bad@b) 550/5.7.1 MAIL(a@b) 250/2.1.0"),
	ROW("dots", 0, HI TO "DATA\r\n..\r\n...a\r\n.b\r\n.\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(.\\r\\n..a\\r\\nb\\r\\n) END 250/2.0.0"),
	ROW("refused at the end", REFUSE_END, HI TO "DATA\r\nx\r\n.\r\nRSET\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(x\\r\\n) END 554/5.7.1 250/2.0.0 RESET"),
	ROW("DATA refused", REFUSE_DATA, HI TO "DATA\r\nRSET\r\n", HI_SAYS TO_SAYS "DATA 452/4.3.1 250/2.0.0 RESET"),
	ROW("refused in the middle", REFUSE_BODY, HI TO "DATA\r\nx\r\nQUIT\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 451/4.3.0 250/2.0.0"),
	ROW("one chunk", 0, HI TO "BDAT 4 LAST\r\nHi\r\nRSET\r\n",
	    HI_SAYS TO_SAYS "DATA BODY(Hi\\r\\n) END 250/2.0.0 250/2.0.0 RESET"),
	ROW("chunks cut inside a line end", 0, HI TO "BDAT 3\r\nHi\rBDAT 2\r\n\n.BDAT 3 last\r\n\r\n.",
	    HI_SAYS TO_SAYS "DATA BODY(Hi\\r) 250/2.0.0 BODY(\\n.) 250/2.0.0 BODY(\\r\\n.) END 250/2.0.0"),
	ROW("an empty last chunk", 0, HI TO "BDAT 2\r\nHiBDAT 0 LAST\r\n",
	    HI_SAYS TO_SAYS "DATA BODY(Hi) 250/2.0.0 END 250/2.0.0"),
	ROW("nothing but an empty last chunk", 0, HI TO "BDAT 0 LAST\r\n", HI_SAYS TO_SAYS "DATA END 250/2.0.0"),
	ROW("RSET between chunks", 0, HI TO "BDAT 2\r\nHiRSET\r\n" TO,
	    HI_SAYS TO_SAYS "DATA BODY(Hi) 250/2.0.0 250/2.0.0 RESET " TO_SAYS),
	ROW("a chunk that looks like commands", 0, HI TO "BDAT 8 LAST\r\n.\r\nQUIT\r\n",
	    HI_SAYS TO_SAYS "DATA BODY(.\\r\\nQUIT\\r) 554/5.6.0 DEAD(bare-line-end) 500/5.5.2 REFUSED(bare-line-end) "
	                    "CLOSE(bare-line-end)"),
	ROW("chunks refused before they come", REFUSE_DATA, HI TO "BDAT 2\r\nHiBDAT 2 LAST\r\nHoRSET\r\n",
	    HI_SAYS TO_SAYS "DATA 452/4.3.1 452/4.3.1 REFUSED(message-refused-before) 250/2.0.0 RESET"),
	ROW("a chunk refused in the middle", REFUSE_BODY, HI TO "BDAT 4\r\nHiHiBDAT 2 LAST\r\nHoRSET\r\n",
	    HI_SAYS TO_SAYS "DATA 451/4.3.0 451/4.3.0 REFUSED(message-refused-before) 250/2.0.0 RESET"),
	ROW("a chunk with any bytes where they are allowed", ANY_BYTES, HI TO "BDAT 3 LAST\r\n\n\0\r",
	    HI_SAYS TO_SAYS "DATA BODY(\\n\\0\\r) END 250/2.0.0"),
	ROW("SIZE that fits", SMALL, HI "MAIL FROM:<a@b> SIZE=20\r\n", HI_SAYS "MAIL(a@b) 250/2.1.0"),
	ROW("a body of exactly the bound", SMALL, HI TO "DATA\r\n123456789012345678\r\n.\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(123456789012345678\\r\\n) END 250/2.0.0"),
	ROW("a line of exactly the bound", SHORT_LINES, HI TO "DATA\r\n1234567890\r\n.\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(1234567890\\r\\n) END 250/2.0.0"),
	ROW("all parameters", 0,
	    HI "MAIL FROM:<a@b> SIZE=1 BODY=8BITMIME RET=HDRS ENVID=x+20y SMTPUTF8\r\nRCPT TO:<c@d> "
	       "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c@d\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 RCPT(c@d) 250/2.1.5"),
	ROW("a UTF-8 address with SMTPUTF8", 0, HI "MAIL FROM:<\xc3\xa4@b> SMTPUTF8\r\nRCPT TO:<\xc3\xb6@d>\r\n",
	    HI_SAYS "MAIL(\xc3\xa4@b) 250/2.1.0 RCPT(\xc3\xb6@d) 250/2.1.5"),
	ROW("postmaster", 0, HI "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n",
	    HI_SAYS "MAIL() 250/2.1.0 RCPT(Postmaster) 250/2.1.5"),
	ROW("source route left out", 0, HI "MAIL FROM:<@x,@y:a@b>\r\n", HI_SAYS "MAIL(a@b) 250/2.1.0"),
	ROW("bare LF borne with", NORMALISE,
	    "EHLO c.example\nMAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nDATA\nHi\n.\n..x\n.\r\ny\r\n.\r\nQUIT\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(Hi\\r\\n.\\r\\n.x\\r\\n.\\r\\ny\\r\\n) END 250/2.0.0 221/2.0.0 QUIT "
	                    "CLOSE(none)"),
	ROW("LMTP answers for each recipient", LMTP,
	    "LHLO c.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<bad@d>\r\nRCPT "
	    "TO:<e@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 RCPT(c@d) 250/2.1.5 RCPT(bad@d) 550/5.1.1 RCPT(e@d) 250/2.1.5 DATA 354 "
	            "BODY(x\\r\\n) END 250/2.0.0 250/2.0.0 "
	            "221/2.0.0 QUIT CLOSE(none)"),
	ROW("XCLIENT begins anew", XCLIENT, HI "XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]\r\n" HI TO,
	    HI_SAYS "XCLIENT(192.0.2.1) 220 " HI_SAYS TO_SAYS),
	ROW("STARTTLS", 0, HI "STARTTLS\r\n", HI_SAYS "STARTTLS 220/2.0.0 (tls)"),
	ROW("AUTH PLAIN at once", TLS_ON, HI "AUTH PLAIN AHVzZXIAcmlnaHQ=\r\n" TO,
	    HI_SAYS "AUTH(plain,,user,right) 235/2.7.0 " TO_SAYS),
	ROW("AUTH PLAIN when asked", TLS_ON, HI "AUTH PLAIN\r\nYXMAdXNlcgByaWdodA==\r\n",
	    HI_SAYS "334 AUTH(plain,as,user,right) 235/2.7.0"),
	ROW("AUTH LOGIN", TLS_ON, HI "auth login\r\ndXNlcg==\r\ncmlnaHQ=\r\n",
	    HI_SAYS "334 334 AUTH(login,,user,right) 235/2.7.0"),
	ROW("AUTH LOGIN with the user at once", TLS_ON, HI "AUTH LOGIN dXNlcg==\r\ncmlnaHQ=\r\n",
	    HI_SAYS "334 AUTH(login,,user,right) 235/2.7.0"),
	ROW("a wrong password, then the right one", TLS_ON,
	    HI "AUTH PLAIN AHVzZXIAd3Jvbmc=\r\nAUTH PLAIN AHVzZXIAcmlnaHQ=\r\n",
	    HI_SAYS "AUTH(plain,,user,wrong) 535/5.7.8 AUTH(plain,,user,right) 235/2.7.0"),
	ROW("AUTH where it is required", TLS_ON | AUTH_REQUIRED,
	    HI "MAIL FROM:<a@b.example>\r\nAUTH PLAIN AHVzZXIAcmlnaHQ=\r\n" TO,
	    HI_SAYS "530/5.7.0 REFUSED(authentication-required) AUTH(plain,,user,right) 235/2.7.0 " TO_SAYS),
	ROW("AUTH= of a relay", TLS_ON, HI "MAIL FROM:<a@b> AUTH=<>\r\n", HI_SAYS "MAIL(a@b) 250/2.1.0"),
	ROW("the recipient after the last one", ONE_RECIPIENT, HI TO "RCPT TO:<x@y>\r\nDATA\r\n.\r\n",
	    HI_SAYS TO_SAYS "452/4.5.3 REFUSED(too-many-recipients) DATA 354 END 250/2.0.0"),
};

static const struct row unlawful[] = {
	ROW("unknown command", 0, "FOO\r\nNOOP\r\n", "500/5.5.1 REFUSED(unknown-command) 250/2.0.0"),
	ROW("an empty line", 0, "\r\n", "500/5.5.1 REFUSED(unknown-command)"),
	ROW("BURL, TURN, ETRN", 0, "BURL x\r\nTURN\r\nETRN y\r\n",
	    "500/5.5.1 REFUSED(unknown-command) 500/5.5.1 REFUSED(unknown-command) 500/5.5.1 REFUSED(unknown-command)"),
	ROW("a blank in front", 0, " NOOP\r\n", "500/5.5.1 REFUSED(unknown-command)"),
	ROW("HTTP", 0, "POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO c\r\n",
	    "500/5.5.1 REFUSED(foreign-protocol) CLOSE(foreign-protocol)"),
	ROW("a header of HTTP", 0, "Host: x\r\nEHLO c\r\n",
	    "500/5.5.1 REFUSED(foreign-protocol) CLOSE(foreign-protocol)"),
	ROW("LHLO on SMTP", 0, "LHLO c\r\n", "500/5.5.1 REFUSED(unknown-command)"),
	ROW("EHLO on LMTP", LMTP, "EHLO c\r\n", "500/5.5.1 REFUSED(unknown-command)"),
	ROW("EHLO without a name", 0, "EHLO\r\nEHLO  \r\n",
	    "501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 REFUSED(bad-arguments)"),
	ROW("EHLO with two names", 0, "EHLO a b\r\n", "501/5.5.4 REFUSED(bad-arguments)"),
	ROW("EHLO with a control byte", 0, "EHLO a\x01\r\n", "501/5.5.4 REFUSED(bad-arguments)"),
	ROW("MAIL before EHLO", 0, "MAIL FROM:<a@b>\r\n", "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("RCPT before MAIL", 0, HI "RCPT TO:<a@b>\r\n", HI_SAYS "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("MAIL twice", 0, HI "MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 503/5.5.1 REFUSED(bad-sequence)"),
	ROW("DATA before RCPT", 0, HI "MAIL FROM:<a@b>\r\nDATA\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 503/5.5.1 REFUSED(bad-sequence)"),
	ROW("DATA when all recipients were refused", 0, HI "MAIL FROM:<a@b>\r\nRCPT TO:<bad@d>\r\nDATA\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 RCPT(bad@d) 550/5.1.1 554/5.5.1 REFUSED(no-valid-recipient)"),
	ROW("DATA with arguments", 0, HI TO "DATA now\r\n", HI_SAYS TO_SAYS "501/5.5.4 REFUSED(bad-arguments)"),
	ROW("an empty chunk that is not the last one", 0, HI TO "BDAT 0\r\nBDAT 1 LAST\r\nx",
	    HI_SAYS TO_SAYS "504/5.5.4 REFUSED(bad-arguments) DATA BODY(x) END 250/2.0.0"),
	ROW("DATA in the middle of chunks", 0, HI TO "BDAT 1\r\nxDATA\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\n",
	    HI_SAYS TO_SAYS "DATA BODY(x) 250/2.0.0 503/5.5.1 REFUSED(bad-sequence) 503/5.5.1 REFUSED(bad-sequence) "
	                    "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("a chunk before RCPT is swallowed", 0, HI "MAIL FROM:<a@b>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 503/5.5.1 REFUSED(bad-sequence) 250/2.0.0"),
	ROW("a chunk after the last one is swallowed", 0, HI TO "BDAT 1 LAST\r\nxBDAT 6\r\nQUIT\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA BODY(x) END 250/2.0.0 503/5.5.1 REFUSED(bad-sequence) 250/2.0.0"),
	ROW("a chunk when all recipients were refused", 0,
	    HI "MAIL FROM:<a@b>\r\nRCPT TO:<bad@d>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 RCPT(bad@d) 550/5.1.1 554/5.5.1 REFUSED(no-valid-recipient) 250/2.0.0"),
	ROW("a chunk without a size ends it", 0, HI TO "BDAT\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "501/5.5.4 REFUSED(bad-chunk-size) CLOSE(bad-chunk-size)"),
	ROW("a chunk with a wrong size ends it", 0, HI TO "BDAT 1x LAST\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "501/5.5.4 REFUSED(bad-chunk-size) CLOSE(bad-chunk-size)"),
	ROW("a negative chunk ends it", 0, HI TO "BDAT -1\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "501/5.5.4 REFUSED(bad-chunk-size) CLOSE(bad-chunk-size)"),
	ROW("a chunk of 2^64 ends it", 0, HI TO "BDAT 18446744073709551616\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "501/5.5.4 REFUSED(bad-chunk-size) CLOSE(bad-chunk-size)"),
	ROW("a chunk of 2^64-1 is refused and not waited for", SMALL, HI TO "BDAT 18446744073709551615\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 552/5.3.4 DEAD(message-too-large) CLOSE(none)"),
	ROW("BDAT where it is not offered ends it", NO_CHUNKING, HI TO "BDAT 4 LAST\r\nHi\r\n",
	    HI_SAYS TO_SAYS "502/5.5.1 REFUSED(not-offered) CLOSE(not-offered)"),
	ROW("chunks above the bound", SMALL, HI TO "BDAT 15\r\n123456789012345BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA BODY(123456789012345) 250/2.0.0 552/5.3.4 DEAD(message-too-large) 250/2.0.0"),
	ROW("a bare CR between chunks", 0, HI TO "BDAT 1\r\n\rBDAT 1\r\nxBDAT 1 LAST\r\ny",
	    HI_SAYS TO_SAYS "DATA BODY(\\r) 250/2.0.0 554/5.6.0 DEAD(bare-line-end) 554/5.6.0 "
	                    "REFUSED(message-refused-before)"),
	ROW("a last chunk that ends in CR", 0, HI TO "BDAT 1 LAST\r\n\r",
	    HI_SAYS TO_SAYS "DATA BODY(\\r) 554/5.6.0 DEAD(bare-line-end)"),
	ROW("SIZE declared too large", SMALL, HI "MAIL FROM:<a@b> SIZE=21\r\n",
	    HI_SAYS "552/5.3.4 REFUSED(message-too-large)"),
	ROW("a body above the bound is swallowed", SMALL, HI TO "DATA\r\n1234567890123456789\r\nQUIT\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(message-too-large) 552/5.3.4 250/2.0.0"),
	ROW("a line above the bound is swallowed", SHORT_LINES, HI TO "DATA\r\n12345678901\r\nQUIT\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(line-too-long) 554/5.6.0 250/2.0.0"),
	ROW("bare LF in a command", 0, "NOOP\nQUIT\r\n", "500/5.5.2 REFUSED(bare-line-end) CLOSE(bare-line-end)"),
	ROW("bare CR in a command", 0, "NOOP\rQUIT\r\n", "500/5.5.2 REFUSED(bare-line-end) CLOSE(bare-line-end)"),
	ROW("NUL in a command", 0, "NO\0OP\r\nQUIT\r\n", "500/5.5.2 REFUSED(bare-line-end) CLOSE(bare-line-end)"),
	ROW("bare CR where bare LF is borne with", NORMALISE, "NOOP\rQUIT\n",
	    "500/5.5.2 REFUSED(bare-line-end) CLOSE(bare-line-end)"),
	ROW("LF . LF is no end", 0, HI TO "DATA\r\nx\n.\nMAIL FROM:<e@f>\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(bare-line-end) 554/5.6.0 CLOSE(bare-line-end)"),
	ROW("CRLF . LF is no end", 0, HI TO "DATA\r\nx\r\n.\nMAIL FROM:<e@f>\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(bare-line-end) 554/5.6.0 CLOSE(bare-line-end)"),
	ROW("CRLF . CR CRLF is no end", 0, HI TO "DATA\r\nx\r\n.\r\r\nMAIL FROM:<e@f>\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(bare-line-end) 554/5.6.0 CLOSE(bare-line-end)"),
	ROW("CR . CR is no end", NORMALISE, HI TO "DATA\r\nx\r.\rMAIL FROM:<e@f>\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(bare-line-end) 554/5.6.0 CLOSE(bare-line-end)"),
	ROW("a NUL in the message", 0, HI TO "DATA\r\nx\0\r\n.\r\nNOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 DEAD(bare-line-end) 554/5.6.0 CLOSE(bare-line-end)"),
	ROW("a NUL behind the message", 0, HI TO "DATA\r\nx\r\n.\r\n\0NOOP\r\n",
	    HI_SAYS TO_SAYS "DATA 354 BODY(x\\r\\n) END 250/2.0.0 500/5.5.2 REFUSED(bare-line-end) "
	                    "CLOSE(bare-line-end)"),
	ROW("LMTP: a refused body is answered for each recipient", LMTP | SMALL,
	    "LHLO c.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT "
	    "TO:<e@d>\r\nDATA\r\n1234567890123456789\r\n.\r\nNOOP\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 RCPT(c@d) 250/2.1.5 RCPT(e@d) 250/2.1.5 DATA 354 DEAD(message-too-large) "
	            "552/5.3.4 552/5.3.4 250/2.0.0"),
	ROW("MAIL without FROM", 0, HI "MAIL <a@b>\r\nMAIL\r\nMAIL TO:<a@b>\r\n",
	    HI_SAYS "501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 "
	            "REFUSED(bad-arguments)"),
	ROW("a bad sender", 0, HI "MAIL FROM:<a@>\r\nMAIL FROM:<a@b>x\r\nMAIL FROM:<a b@c>\r\n",
	    HI_SAYS "501/5.1.7 REFUSED(bad-address) 501/5.1.7 REFUSED(bad-address) 501/5.1.7 REFUSED(bad-address)"),
	ROW("a bad recipient", 0, HI "MAIL FROM:<>\r\nRCPT TO:<>\r\nRCPT TO:<a>\r\nRCPT TO:<a@-b>\r\n",
	    HI_SAYS "MAIL() 250/2.1.0 501/5.1.3 REFUSED(bad-address) 501/5.1.3 REFUSED(bad-address) 501/5.1.3 "
	            "REFUSED(bad-address)"),
	ROW("UTF-8 without SMTPUTF8", 0, HI "MAIL FROM:<\xc3\xa4@b>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<\xc3\xb6@d>\r\n",
	    HI_SAYS "553/5.6.7 REFUSED(utf8-without-smtputf8) MAIL(a@b) 250/2.1.0 553/5.6.7 "
	            "REFUSED(utf8-without-smtputf8)"),
	ROW("unknown parameters", NO_DSN,
	    HI "MAIL FROM:<a@b> FOO=1\r\nMAIL FROM:<a@b> RET=FULL\r\nMAIL FROM:<a@b> NOTIFY=NEVER\r\n",
	    HI_SAYS "555/5.5.4 REFUSED(unknown-parameter) 555/5.5.4 REFUSED(unknown-parameter) 555/5.5.4 "
	            "REFUSED(unknown-parameter)"),
	ROW("bad parameter values", 0,
	    HI "MAIL FROM:<a@b> SIZE=x\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\nMAIL FROM:<a@b> SIZE=1 SIZE=1\r\n",
	    HI_SAYS "501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 "
	            "REFUSED(bad-arguments)"),
	ROW("too many errors", FEW_ERRORS, "A\r\nB\r\nC\r\nD\r\n",
	    "500/5.5.1 REFUSED(unknown-command) 500/5.5.1 REFUSED(unknown-command) 421/4.7.0 REFUSED(too-many-errors) "
	    "CLOSE(too-many-errors)"),
	ROW("STARTTLS with arguments", 0, HI "STARTTLS now\r\n", HI_SAYS "501/5.5.4 REFUSED(bad-arguments)"),
	ROW("STARTTLS before EHLO", 0, "STARTTLS\r\n", "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("STARTTLS inside a transaction", 0, HI TO "STARTTLS\r\n",
	    HI_SAYS TO_SAYS "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("STARTTLS over TLS", TLS_ON, HI "STARTTLS\r\n", HI_SAYS "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("everything but EHLO before TLS", TLS_REQUIRED,
	    HI "MAIL FROM:<a@b>\r\nVRFY x\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
	    HI_SAYS "530/5.7.0 REFUSED(tls-required) 530/5.7.0 REFUSED(tls-required) 530/5.7.0 REFUSED(tls-required) "
	            "250/2.0.0"),
	ROW("AUTH before TLS", 0, HI "AUTH PLAIN AHVzZXIAcmlnaHQ=\r\n", HI_SAYS "538/5.7.11 REFUSED(tls-required)"),
	ROW("AUTH where there is none", TLS_ON | NO_AUTH, HI "AUTH PLAIN AHVzZXIAcmlnaHQ=\r\n",
	    HI_SAYS "502/5.5.1 REFUSED(not-offered)"),
	ROW("AUTH before EHLO", TLS_ON, "AUTH PLAIN AHVzZXIAcmlnaHQ=\r\n", "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("AUTH twice", TLS_ON, HI "AUTH PLAIN AHVzZXIAcmlnaHQ=\r\nAUTH PLAIN AHVzZXIAcmlnaHQ=\r\n",
	    HI_SAYS "AUTH(plain,,user,right) 235/2.7.0 503/5.5.1 REFUSED(bad-sequence)"),
	ROW("AUTH inside a transaction", TLS_ON, HI "MAIL FROM:<a@b>\r\nAUTH PLAIN AHVzZXIAcmlnaHQ=\r\n",
	    HI_SAYS "MAIL(a@b) 250/2.1.0 503/5.5.1 REFUSED(bad-sequence)"),
	ROW("AUTH with an unknown mechanism", TLS_ON, HI "AUTH GSSAPI\r\nAUTH\r\n",
	    HI_SAYS "504/5.5.4 REFUSED(bad-authentication-exchange) 504/5.5.4 REFUSED(bad-authentication-exchange)"),
	ROW("AUTH cancelled", TLS_ON, HI "AUTH LOGIN\r\n*\r\nNOOP\r\n",
	    HI_SAYS "334 501/5.7.0 REFUSED(bad-authentication-exchange) 250/2.0.0"),
	ROW("AUTH with no base64", TLS_ON, HI "AUTH LOGIN\r\n???\r\nAUTH PLAIN dXNlcg==\r\n",
	    HI_SAYS "334 501/5.5.2 REFUSED(bad-authentication-exchange) 501/5.5.2 "
	            "REFUSED(bad-authentication-exchange)"),
	ROW("AUTH PLAIN of nothing", TLS_ON, HI "AUTH PLAIN =\r\nAUTH LOGIN =\r\n",
	    HI_SAYS "501/5.5.2 REFUSED(bad-authentication-exchange) 501/5.5.2 REFUSED(bad-authentication-exchange)"),
	ROW("a NUL inside the password", TLS_ON, HI "AUTH PLAIN AGEAYgBj\r\n",
	    HI_SAYS "501/5.5.2 REFUSED(bad-authentication-exchange)"),
	ROW("XCLIENT from anyone", 0, HI "XCLIENT ADDR=192.0.2.1\r\n", HI_SAYS "550/5.7.0 REFUSED(not-offered)"),
	ROW("XCLIENT with a wrong value", XCLIENT, HI "XCLIENT ADDR=x\r\nXCLIENT FOO=1\r\nXCLIENT\r\n",
	    HI_SAYS "501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 REFUSED(bad-arguments) 501/5.5.4 "
	            "REFUSED(bad-arguments)"),
	ROW("XCLIENT inside a transaction", XCLIENT, HI TO "XCLIENT ADDR=192.0.2.1\r\n",
	    HI_SAYS TO_SAYS "503/5.5.1 REFUSED(bad-sequence)"),
	ROW("VRFY of nobody", 0, "VRFY\r\n", "501/5.5.4 REFUSED(bad-arguments)"),
};

/* --- A session that decides by the words of the row --- */

struct session {
	struct smtp_server        server;
	struct smtp_server_config config;
	struct buf                out, log, rest;
	unsigned                  options;
	bool                      in_body, closed;
};

static void log_word(struct session *s, const char *word)
{
	if (s->log.len != 0 && s->log.ptr[s->log.len - 1] != ' ' && word[0] != ')')
		buf_put_byte(&s->log, ' ');
	buf_put_str(&s->log, word);
}

static void end_body_word(struct session *s)
{
	if (s->in_body)
		buf_put_byte(&s->log, ')');
	s->in_body = false;
}

static void log_text(struct session *s, const char *word, struct slice text)
{
	end_body_word(s);
	log_word(s, word);
	buf_put_byte(&s->log, '(');
	buf_put(&s->log, text);
	buf_put_byte(&s->log, ')');
}

static void log_body(struct session *s, struct slice body)
{
	if (!s->in_body)
		log_word(s, "BODY(");
	s->in_body = true;
	for (size_t i = 0; i < body.len; i++) {
		const uint8_t byte = body.ptr[i];
		if (byte == '\r' || byte == '\n' || byte == '\0')
			buf_put_str(&s->log, byte == '\r' ? "\\r" : byte == '\n' ? "\\n" : "\\0");
		else
			buf_put_byte(&s->log, byte);
	}
}

/* "250/2.1.0" for the last line of each reply in the output. */
static void log_replies(struct session *s)
{
	struct slice           rest = buf_slice(&s->out);
	struct smtp_reply_read reply;

	while (rest.len != 0) {
		if (slice_starts(rest, SLICE("334 "))) {
			(void)slice_until(&rest, '\n');
			end_body_word(s);
			log_word(s, "334");
			continue;
		}
		assert_int_equal(smtp_reply_take(&rest, &reply), RC_OK);
		end_body_word(s);
		log_word(s, "");
		buf_put_u64(&s->log, reply.code);
		if (reply.enhanced.class != 0) {
			buf_put_byte(&s->log, '/');
			buf_put_u64(&s->log, reply.enhanced.class);
			buf_put_byte(&s->log, '.');
			buf_put_u64(&s->log, reply.enhanced.subject);
			buf_put_byte(&s->log, '.');
			buf_put_u64(&s->log, reply.enhanced.detail);
		}
	}
	buf_clear(&s->out);
}

static void decide(struct session *s, bool ok, struct smtp_reply otherwise)
{
	if (ok)
		smtp_server_accept(&s->server, &s->out);
	else
		smtp_server_reply(&s->server, &otherwise, &s->out);
}

static void on_auth(struct session *s, const struct smtp_credentials *auth)
{
	end_body_word(s);
	log_word(s, auth->mechanism == SMTP_AUTH_PLAIN ? "AUTH(plain," : "AUTH(login,");
	buf_put(&s->log, auth->authzid);
	buf_put_byte(&s->log, ',');
	buf_put(&s->log, auth->user);
	buf_put_byte(&s->log, ',');
	buf_put(&s->log, auth->password);
	buf_put_byte(&s->log, ')');
	decide(s, slice_eq(auth->password, SLICE("right")), SMTP_REPLY(535, 7, 8, "Wrong"));
}

static void on_address(struct session *s, const char *word, const struct address *address, struct smtp_reply refusal)
{
	struct buf text = buf_make(1000);

	address_write(address, &text);
	log_text(s, word, buf_slice(&text));
	decide(s, !slice_starts(buf_slice(&text), SLICE("bad@")), refusal);
	buf_done(&text);
}

static void on_event(struct session *s, const struct smtp_event *event)
{
	static const struct smtp_reply in_body = SMTP_REPLY_INIT(451, 3, 0, "Not now");
	struct buf                     text = buf_make(100);

	switch (event->kind) {
	case SMTP_EVENT_HELLO:
		log_text(s, "HELLO", event->name);
		decide(s, true, (struct smtp_reply){ 0 });
		break;
	case SMTP_EVENT_STARTTLS:
		log_word(s, "STARTTLS");
		decide(s, true, (struct smtp_reply){ 0 });
		log_replies(s);
		smtp_server_tls_started(&s->server);
		log_word(s, "(tls)");
		break;
	case SMTP_EVENT_AUTH:
		on_auth(s, &event->auth);
		break;
	case SMTP_EVENT_XCLIENT:
		ip_write(&event->xclient.addr, &text);
		log_text(s, "XCLIENT", buf_slice(&text));
		decide(s, true, (struct smtp_reply){ 0 });
		break;
	case SMTP_EVENT_MAIL:
		on_address(s, "MAIL", &event->mail.sender, SMTP_REPLY(550, 7, 1, "No"));
		break;
	case SMTP_EVENT_RCPT:
		on_address(s, "RCPT", &event->rcpt.recipient, SMTP_REPLY(550, 1, 1, "Nobody"));
		break;
	case SMTP_EVENT_DATA:
		log_word(s, "DATA");
		decide(s, !(s->options & REFUSE_DATA), SMTP_REPLY(452, 3, 1, "Full"));
		break;
	case SMTP_EVENT_BODY:
		assert_true(event->body.len != 0);
		if (s->options & REFUSE_BODY)
			smtp_server_refuse_body(&s->server, &in_body);
		else
			log_body(s, event->body);
		break;
	case SMTP_EVENT_BODY_END:
		end_body_word(s);
		log_word(s, "END");
		while (smtp_server_waits(&s->server))
			decide(s, !(s->options & REFUSE_END), SMTP_REPLY(554, 7, 1, "No"));
		break;
	case SMTP_EVENT_BODY_DEAD:
		log_replies(s);
		log_text(s, "DEAD", slice_str(smtp_refusal_word(event->refusal)));
		break;
	case SMTP_EVENT_RESET:
		log_word(s, "RESET");
		break;
	case SMTP_EVENT_VRFY:
		log_text(s, "VRFY", event->name);
		break;
	case SMTP_EVENT_REFUSED:
		log_replies(s);
		log_text(s, "REFUSED", slice_str(smtp_refusal_word(event->refusal)));
		assert_true(event->reply.code >= 400);
		assert_int_equal(event->reply.enhanced.class, event->reply.code / 100);
		assert_true(event->reply.text.len != 0);
		break;
	case SMTP_EVENT_QUIT:
		log_word(s, "QUIT");
		break;
	case SMTP_EVENT_CLOSE:
		log_replies(s);
		if (!s->closed)
			log_text(s, "CLOSE", slice_str(smtp_refusal_word(event->refusal)));
		s->closed = true;
		break;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_COUNT:
		break;
	}
	log_replies(s);
	buf_done(&text);
}

/* Bytes behind what was left over, in memory of exactly their size. */
static void feed(struct session *s, struct slice bytes)
{
	buf_put(&s->rest, bytes);
	for (;;) {
		struct smtp_event event;
		const size_t      size = s->rest.len;
		uint8_t          *exact = malloc(size == 0 ? 1 : size);
		assert_non_null(exact);
		if (size != 0)
			memcpy(exact, s->rest.ptr, size);
		struct slice               input = { exact, size };
		const enum smtp_event_kind kind = smtp_server_feed(&s->server, &input, &s->out, &event);
		log_replies(s);
		if (kind != SMTP_EVENT_NONE)
			on_event(s, &event);
		buf_drop(&s->rest, size - input.len);
		free(exact);
		if (kind == SMTP_EVENT_NONE || kind == SMTP_EVENT_CLOSE)
			break;
	}
}

static void session_begin(struct session *s, unsigned options)
{
	const struct smtp_server_peer peer = {
		.tls = (options & TLS_ON) != 0,
		.xclient = (options & XCLIENT) != 0,
		.long_addresses = (options & LONG_ADDRESSES) != 0,
	};
	unsigned extensions = SMTP_EXT_XCLIENT * 2 - 1;

	extensions &= ~(options & NO_CHUNKING ? (unsigned)SMTP_EXT_CHUNKING : 0u);
	extensions &= ~(options & NO_PIPELINING ? (unsigned)SMTP_EXT_PIPELINING : 0u);
	extensions &= ~(options & NO_DSN ? (unsigned)SMTP_EXT_DSN : 0u);
	extensions &= ~(options & NO_AUTH ? (unsigned)SMTP_EXT_AUTH : 0u);
	*s = (struct session){
		.config = {
			.host = SLICE("mx.example"),
			.extensions = extensions,
			.message_bytes_max = options & SMALL ? 20 : 1u << 20,
			.data_line_bytes_max = options & SHORT_LINES ? 10 : 0,
			.recipients_max = options & ONE_RECIPIENT ? 1 : 100,
			.errors_max = options & FEW_ERRORS ? 2 : 0,
			.line_ends = options & NORMALISE ? SMTP_LINE_ENDS_NORMALISE : SMTP_LINE_ENDS_REFUSE,
			.bdat_any_bytes = (options & ANY_BYTES) != 0,
			.lmtp = (options & LMTP) != 0,
			.tls_required = (options & TLS_REQUIRED) != 0,
			.auth_required = (options & AUTH_REQUIRED) != 0,
		},
		.out = buf_make(100000),
		.log = buf_make(100000),
		.rest = buf_make(100000),
		.options = options,
	};
	smtp_server_init(&s->server, &s->config, &peer);
	smtp_server_greet(&s->server, (struct slice){ NULL, 0 }, &s->out);
	buf_clear(&s->out);
}

static void session_end(struct session *s)
{
	smtp_server_done(&s->server);
	buf_done(&s->out);
	buf_done(&s->log);
	buf_done(&s->rest);
}

/*
 * What was said over the body of a message in pieces differs in nothing but where it was cut when the body is dead:
 * what came before is dropped.
 */
static void drop_dead_bodies(struct buf *log)
{
	struct slice text = buf_slice(log);
	size_t       at;

	while ((at = slice_search(text, SLICE("BODY("))) != text.len) {
		const struct slice behind = slice_drop(text, at);
		const size_t       end = slice_search(behind, SLICE(") ")) + 2;
		const struct slice next = slice_drop(behind, end);
		if (slice_starts(next, SLICE("DEAD")) || slice_starts(next, SLICE("554/5.6.0 DEAD"))) {
			const size_t start = (size_t)(behind.ptr - log->ptr);
			memmove(log->ptr + start, log->ptr + start + end, log->len - start - end);
			log->len -= end;
			text = slice_drop(buf_slice(log), start);
		} else {
			text = slice_drop(behind, 5);
		}
	}
}

static void check_row(const struct row *row, size_t cut)
{
	struct session s;
	struct buf     wanted = buf_make(100000);

	session_begin(&s, row->options);
	feed(&s, slice_take(row->input, cut));
	if (cut < row->input.len)
		feed(&s, slice_drop(row->input, cut));
	feed(&s, (struct slice){ NULL, 0 });
	end_body_word(&s);
	buf_put_str(&wanted, row->expected);
	drop_dead_bodies(&s.log);
	drop_dead_bodies(&wanted);
	if (!slice_eq(slice_trim(buf_slice(&s.log)), slice_trim(buf_slice(&wanted))))
		fail_msg("%s, cut at %zu:\n  got      %.*s\n  expected %.*s", row->name, cut, (int)s.log.len,
		         (char *)s.log.ptr, (int)wanted.len, (char *)wanted.ptr);
	session_end(&s);
	buf_done(&wanted);
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t cut = 0; cut <= rows[i].input.len; cut++)
			check_row(&rows[i], rows[i].input.len - cut);
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

/* Byte by byte, too. */
static void test_single_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lawful / sizeof lawful[0]; i++) {
		struct session s;
		session_begin(&s, lawful[i].options);
		for (size_t at = 0; at < lawful[i].input.len; at++)
			feed(&s, slice_cut(lawful[i].input, at, 1));
		end_body_word(&s);
		drop_dead_bodies(&s.log);
		struct buf wanted = buf_make(10000);
		buf_put_str(&wanted, lawful[i].expected);
		drop_dead_bodies(&wanted);
		if (!slice_eq(slice_trim(buf_slice(&s.log)), slice_trim(buf_slice(&wanted))))
			fail_msg("%s: %.*s", lawful[i].name, (int)s.log.len, (char *)s.log.ptr);
		buf_done(&wanted);
		session_end(&s);
	}
}

static void test_offers(void **state)
{
	struct session    s;
	struct smtp_event event;
	struct slice      input = SLICE("EHLO c\r\n");

	(void)state;
	session_begin(&s, 0);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	/* While a decision is pending nothing is taken. */
	struct slice more = SLICE("NOOP\r\n");
	assert_int_equal(smtp_server_feed(&s.server, &more, &s.out, &event), SMTP_EVENT_NONE);
	assert_int_equal(more.len, 6);
	assert_int_equal(s.out.len, 0);
	smtp_server_accept(&s.server, &s.out);
	assert_true(slice_eq(
		buf_slice(&s.out),
		SLICE("250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1048576\r\n250-STARTTLS\r\n"
	              "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n")));
	session_end(&s);

	session_begin(&s, TLS_ON | XCLIENT);
	input = SLICE("EHLO c\r\n");
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	smtp_server_accept(&s.server, &s.out);
	assert_true(slice_search(buf_slice(&s.out), SLICE("STARTTLS")) == s.out.len);
	assert_true(slice_search(buf_slice(&s.out), SLICE("250-AUTH PLAIN LOGIN\r\n")) != s.out.len);
	assert_true(slice_search(buf_slice(&s.out), SLICE("250-XCLIENT NAME ADDR")) != s.out.len);
	static const char *const never[] = { "BINARYMIME", "XEXCH50", "X-ANONYMOUSTLS", "XSHADOW", "XOORG" };
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		assert_true(slice_search(buf_slice(&s.out), slice_str(never[i])) == s.out.len);
	session_end(&s);

	session_begin(&s, 0);
	input = SLICE("HELO c\r\n");
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	smtp_server_accept(&s.server, &s.out);
	assert_true(slice_eq(buf_slice(&s.out), SLICE("250 mx.example\r\n")));
	session_end(&s);
}

/* CVE-2011-0411: what stands behind STARTTLS in the same bytes is dropped and ends the session. */
static void test_injection(void **state)
{
	struct session    s;
	struct smtp_event event;
	struct slice      input = SLICE("EHLO c\r\nSTARTTLS\r\nEHLO injected\r\n");

	(void)state;
	session_begin(&s, 0);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	smtp_server_accept(&s.server, &s.out);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_REFUSED);
	assert_int_equal(event.refusal, SMTP_REFUSAL_INJECTION);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_CLOSE);
	assert_int_equal(input.len, 0);
	session_end(&s);

	/* The same in a second piece, after the 220 and before the handshake. */
	session_begin(&s, 0);
	input = SLICE("EHLO c\r\nSTARTTLS\r\n");
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	smtp_server_accept(&s.server, &s.out);
	struct slice first = slice_take(input, 10);
	assert_int_equal(smtp_server_feed(&s.server, &first, &s.out, &event), SMTP_EVENT_STARTTLS);
	smtp_server_accept(&s.server, &s.out);
	struct slice second = SLICE("EHLO injected\r\n");
	assert_int_equal(smtp_server_feed(&s.server, &second, &s.out, &event), SMTP_EVENT_CLOSE);
	assert_int_equal(event.refusal, SMTP_REFUSAL_INJECTION);
	assert_int_equal(second.len, 0);
	session_end(&s);
}

/* What plain text told is forgotten: after the handshake the order of commands begins anew. */
static void test_tls_forgets(void **state)
{
	struct session s;

	(void)state;
	session_begin(&s, 0);
	feed(&s, SLICE("EHLO c\r\n"));
	feed(&s, SLICE("STARTTLS\r\n"));
	feed(&s, SLICE("MAIL FROM:<a@b>\r\n"));
	assert_true(slice_ends(buf_slice(&s.log), SLICE("503/5.5.1 REFUSED(bad-sequence)")));
	feed(&s, SLICE("EHLO c\r\nSTARTTLS\r\n"));
	assert_true(slice_ends(buf_slice(&s.log), SLICE("503/5.5.1 REFUSED(bad-sequence)")));
	session_end(&s);
}

/* Where PIPELINING is not offered, whoever does not wait for an answer is turned away. */
static void test_sent_ahead(void **state)
{
	static const char *const pieces[] = { HI "NOOP\r\n", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", "DATA\r\nx" };
	struct session           s;

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		session_begin(&s, NO_PIPELINING);
		feed(&s, slice_str(pieces[i]));
		assert_true(slice_eq(buf_slice(&s.log), SLICE("554/5.5.0 REFUSED(sent-ahead) CLOSE(sent-ahead)")));
		session_end(&s);
	}
	session_begin(&s, NO_PIPELINING);
	feed(&s, SLICE(HI));
	feed(&s, SLICE("MAIL FROM:<a@b.example>\r\n"));
	feed(&s, SLICE("RCPT TO:<c@d.example>\r\n"));
	feed(&s, SLICE("BDAT 1\r\nx"));
	assert_true(slice_eq(buf_slice(&s.log), SLICE(HI_SAYS TO_SAYS "DATA BODY(x) 250/2.0.0")));
	feed(&s, SLICE("BDAT 1 LAST\r\nxBDAT"));
	assert_true(slice_ends(buf_slice(&s.log), SLICE("554/5.5.0 REFUSED(sent-ahead) CLOSE(sent-ahead)")));
	session_end(&s);
}

static void feed_many(struct session *s, struct slice line, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		feed(s, line);
}

static void test_command_line_bound(void **state)
{
	static const int extra[] = { -1, 0, 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct session s;
		struct buf     line = buf_make(3000);
		session_begin(&s, 0);
		buf_put_str(&line, "NOOP ");
		while (line.len < (size_t)((int)SMTP_COMMAND_LINE_MAX + extra[i]) - 2)
			buf_put_byte(&line, 'x');
		buf_put_str(&line, "\r\n");
		feed(&s, buf_slice(&line));
		const struct slice wanted = extra[i] <= 0 ? SLICE("250/2.0.0")
		                                          : SLICE("500/5.5.2 REFUSED(line-too-long) "
		                                                  "CLOSE(line-too-long)");
		assert_true(slice_eq(buf_slice(&s.log), wanted));
		buf_done(&line);
		session_end(&s);
	}
}

static void test_idle_commands(void **state)
{
	struct session s;

	(void)state;
	session_begin(&s, FEW_ERRORS);
	feed_many(&s, SLICE("NOOP\r\n"), SMTP_IDLE_COMMANDS_MAX + 2);
	assert_int_equal(s.server.errors, 2);
	assert_false(s.closed);
	feed(&s, SLICE("RSET\r\n"));
	assert_true(s.closed);
	session_end(&s);
}

/* The bound of a message may be lowered by its recipients. */
static void test_limit(void **state)
{
	struct session s;

	(void)state;
	session_begin(&s, 0);
	feed(&s, SLICE(HI TO));
	smtp_server_limit(&s.server, 3);
	feed(&s, SLICE("DATA\r\n12\r\n.\r\n"));
	assert_true(slice_ends(buf_slice(&s.log), SLICE("DEAD(message-too-large) 552/5.3.4")));
	feed(&s, SLICE(TO "DATA\r\n12\r\n.\r\n"));
	assert_true(slice_ends(buf_slice(&s.log), SLICE("END 250/2.0.0")));
	assert_int_equal(s.server.transactions, 1);
	session_end(&s);
}

/* A caller's 421 ends the session; so does smtp_server_end(). */
static void test_ends(void **state)
{
	struct session          s;
	struct smtp_event       event;
	struct slice            input = SLICE("EHLO c\r\nNOOP\r\n");
	const struct smtp_reply busy = SMTP_REPLY(421, 3, 2, "Too busy");

	(void)state;
	session_begin(&s, 0);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	smtp_server_reply(&s.server, &busy, &s.out);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_CLOSE);
	assert_true(slice_eq(buf_slice(&s.out), SLICE("421 4.3.2 Too busy\r\n")));
	session_end(&s);

	session_begin(&s, 0);
	smtp_server_end(&s.server, &busy, &s.out);
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_CLOSE);
	session_end(&s);
}

/* Every allocation of an AUTH exchange fails once: 454, and the session goes on. */
static void test_no_memory(void **state)
{
	struct session    s;
	struct smtp_event event;
	struct slice      input = SLICE("EHLO c\r\nAUTH PLAIN AHVzZXIAcmlnaHQ=\r\n");

	(void)state;
	session_begin(&s, TLS_ON);
	assert_non_null(buf_reserve(&s.out, 4000));
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_HELLO);
	smtp_server_accept(&s.server, &s.out);
	memory_fail_after(0);
	const enum smtp_event_kind kind = smtp_server_feed(&s.server, &input, &s.out, &event);
	memory_fail_after(-1);
	assert_int_equal(kind, SMTP_EVENT_REFUSED);
	assert_int_equal(event.refusal, SMTP_REFUSAL_MEMORY);
	assert_int_equal(event.reply.code, 454);
	input = SLICE("AUTH PLAIN AHVzZXIAcmlnaHQ=\r\n");
	assert_int_equal(smtp_server_feed(&s.server, &input, &s.out, &event), SMTP_EVENT_AUTH);
	session_end(&s);
}

/* An endless body that was refused is not swallowed for ever. */
static void test_swallow_bound(void **state)
{
	static uint8_t block[1 << 20];
	struct session s;

	(void)state;
	memset(block, 'x', sizeof block);
	session_begin(&s, SMALL);
	feed(&s, SLICE(HI TO "DATA\r\n"));
	for (unsigned i = 0; i < 70 && !s.closed; i++) {
		struct slice      input = { block, sizeof block };
		struct smtp_event event;
		while (smtp_server_feed(&s.server, &input, &s.out, &event) == SMTP_EVENT_BODY_DEAD)
			;
		s.closed = event.kind == SMTP_EVENT_CLOSE;
		assert_true(s.closed || i < 65);
	}
	assert_true(s.closed);
	session_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lawful),        cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_single_bytes),  cmocka_unit_test(test_offers),
		cmocka_unit_test(test_injection),     cmocka_unit_test(test_tls_forgets),
		cmocka_unit_test(test_sent_ahead),    cmocka_unit_test(test_command_line_bound),
		cmocka_unit_test(test_idle_commands), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_ends),          cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_swallow_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
