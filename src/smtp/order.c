/* The order of commands as a table. */
#include "smtp/order.h"

#include "base/must.h"

#define START SMTP_AT_START
#define READY SMTP_AT_READY
#define MAIL  SMTP_AT_MAIL
#define RCPT  SMTP_AT_RCPT
#define BDAT  SMTP_AT_BDAT
#define DEAD  SMTP_AT_DEAD
#define NO    SMTP_AT_COUNT

/* clang-format off */
/* Source: RFC 5321 section 4.1.4. NO: reply 503 and stay. */
static const uint8_t after[SMTP_AT_COUNT][ON_COUNT] = {
	/*                  EHLO   STARTTLS AUTH   XCLIENT MAIL  RCPT  DATA  BDAT  <end>  RSET   */
	[SMTP_AT_START] = { READY, NO,      NO,    START,  NO,   NO,   NO,   NO,   NO,    START },
	[SMTP_AT_READY] = { READY, START,   READY, START,  MAIL, NO,   NO,   NO,   NO,    READY },
	[SMTP_AT_MAIL] =  { READY, NO,      NO,    NO,     NO,   RCPT, NO,   NO,   NO,    READY },
	[SMTP_AT_RCPT] =  { READY, NO,      NO,    NO,     NO,   RCPT, RCPT, BDAT, READY, READY },
	[SMTP_AT_BDAT] =  { READY, NO,      NO,    NO,     NO,   NO,   NO,   BDAT, READY, READY },
	[SMTP_AT_DEAD] =  { READY, NO,      NO,    NO,     NO,   NO,   NO,   DEAD, READY, READY },
};
/* clang-format on */
_Static_assert(SMTP_AT_COUNT <= UINT8_MAX, "a state fits a cell");

bool smtp_order(enum smtp_at at, enum smtp_on on, enum smtp_at *out)
{
	must(at < SMTP_AT_COUNT);
	must(on < ON_COUNT);
	if (after[at][on] == NO)
		return false;
	*out = (enum smtp_at)after[at][on];
	return true;
}
