/*
 * The store in SQLite. Rows of one batch are one transaction; statements are prepared once; every value is bound.
 *
 * Write-ahead log with synchronous = NORMAL: a power cut may lose the last batches, never the file, and what is lost is read from
 * the journal again, since the mark went with it.
 */
#include "records/store.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "base/must.h"

#include <sqlite3.h>

#define BUSY_MS 2000
#define KEY_MAX 1024u

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_MARK_READ,
	ST_MARK_WRITE,
	ST_MESSAGE,
	ST_RECIPIENT,
	ST_RECIPIENT_STATE,
	ST_RECIPIENT_STATE_ALL,
	ST_STEP,
	ST_REFUSAL,
	ST_TRACE_ID,
	ST_TRACE_SESSION,
	ST_TRACE_ADDRESS,
	ST_TRACE_MESSAGE_ID,
	ST_TRACE_TIME,
	ST_RECIPIENTS_OF,
	ST_STEPS_OF,
	ST_REFUSALS,
	ST_COUNT
};

struct store_sqlite {
	struct store  store;
	sqlite3      *db;
	sqlite3_stmt *statements[ST_COUNT];
};

/* A message's time is in its id (journal/event.h), so that the primary key serves ranges of time. */
static const char *const schema[] = {
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = NORMAL",
	"PRAGMA locking_mode = EXCLUSIVE",
	"PRAGMA temp_store = MEMORY",
	"PRAGMA cache_size = -4096",
	"PRAGMA wal_autocheckpoint = 4000",
	"PRAGMA user_version = 1",
	"CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), bytes BLOB NOT NULL)",
	("CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, session INTEGER, parent INTEGER, received_ms INTEGER, origin INTEGER,"
	 " direction INTEGER, flags INTEGER, listener TEXT, peer TEXT, peer_port INTEGER, peer_name TEXT, helo TEXT, tls TEXT, account TEXT,"
	 " sender TEXT, sender_key TEXT, author_key TEXT, size INTEGER, subject TEXT, author TEXT, message_id TEXT, score INTEGER,"
	 " verdict TEXT, verdict_reason TEXT)"),
	"CREATE INDEX IF NOT EXISTS message_sender ON message (sender_key, id) WHERE sender_key <> ''",
	"CREATE INDEX IF NOT EXISTS message_author ON message (author_key, id) WHERE author_key <> '' AND author_key <> sender_key",
	"CREATE INDEX IF NOT EXISTS message_message_id ON message (message_id) WHERE message_id <> ''",
	"CREATE INDEX IF NOT EXISTS message_session ON message (session) WHERE session <> 0",
	("CREATE TABLE IF NOT EXISTS recipient (message INTEGER, place INTEGER, address TEXT, address_key TEXT, state TEXT, reason TEXT,"
	 " host TEXT, text TEXT, code INTEGER, at_ms INTEGER, next_ms INTEGER, PRIMARY KEY (message, place)) WITHOUT ROWID"),
	"CREATE INDEX IF NOT EXISTS recipient_address ON recipient (address_key, message)",
	("CREATE TABLE IF NOT EXISTS step (message INTEGER, seq INTEGER, recipient INTEGER, session INTEGER, at_ms INTEGER, what TEXT,"
	 " code INTEGER, status TEXT, who TEXT, text TEXT, PRIMARY KEY (message, seq, recipient)) WITHOUT ROWID"),
	"CREATE INDEX IF NOT EXISTS step_certificate ON step (session) WHERE message = 0 AND what = 'certificate'",
	("CREATE TABLE IF NOT EXISTS refusal (seq INTEGER PRIMARY KEY, session INTEGER, at_ms INTEGER, stage INTEGER, listener TEXT, peer TEXT,"
	 " helo TEXT, sender TEXT, sender_key TEXT, recipient TEXT, recipient_key TEXT, code INTEGER, status TEXT, text TEXT, reason TEXT,"
	 " message INTEGER, size INTEGER)"),
	"CREATE INDEX IF NOT EXISTS refusal_sender ON refusal (sender_key, seq) WHERE sender_key <> ''",
	"CREATE INDEX IF NOT EXISTS refusal_recipient ON refusal (recipient_key, seq) WHERE recipient_key <> ''",
	"CREATE INDEX IF NOT EXISTS refusal_session ON refusal (session)",
};

#define MESSAGE_COLUMNS                                                                                                        \
	"m.id, m.session, m.parent, m.received_ms, m.origin, m.direction, m.flags, m.listener, m.peer, m.peer_port, m.peer_name, " \
	"m.helo, m.tls, m.account, m.sender, m.size, m.subject, m.author, m.message_id, m.score, m.verdict, m.verdict_reason"

/* The bounds every trace has: ?1 id below, ?2 id from, ?3 limit; ?4 is what is asked for. */
#define TRACE_BOUNDS " m.id < ?1 AND m.id >= ?2 "

/* clang-format off */
static const char *const texts[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_MARK_READ] = "SELECT bytes FROM mark WHERE one = 1",
	[ST_MARK_WRITE] = "INSERT INTO mark VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET bytes = ?1",
	[ST_MESSAGE] = "INSERT OR REPLACE INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
	               " ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
	[ST_RECIPIENT] = "INSERT OR REPLACE INTO recipient VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[ST_RECIPIENT_STATE] = "UPDATE recipient SET state = ?3, host = ?4, text = ?5, code = ?6, at_ms = ?7, next_ms = ?8"
	                       " WHERE message = ?1 AND place = ?2",
	[ST_RECIPIENT_STATE_ALL] = "UPDATE recipient SET state = ?3, host = ?4, text = ?5, code = ?6, at_ms = ?7, next_ms = ?8"
	                           " WHERE message = ?1 AND ?2 = ?2 AND state NOT IN ('delivered', 'relayed', 'failed', 'expired',"
	                           " 'dropped', 'bounced', 'discarded')",
	[ST_STEP] = "INSERT OR REPLACE INTO step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[ST_REFUSAL] = "INSERT OR REPLACE INTO refusal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
	[ST_TRACE_ID] = "SELECT " MESSAGE_COLUMNS " FROM message m WHERE" TRACE_BOUNDS "AND m.id = ?4 LIMIT ?3",
	[ST_TRACE_SESSION] = "SELECT " MESSAGE_COLUMNS " FROM message m WHERE" TRACE_BOUNDS "AND m.session = ?4 AND m.session <> 0"
	                     " ORDER BY m.id DESC LIMIT ?3",
	[ST_TRACE_ADDRESS] =
	        "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.id IN ("
	        "SELECT id FROM (SELECT m.id FROM message m WHERE" TRACE_BOUNDS "AND m.sender_key = ?4 AND m.sender_key <> '' ORDER BY m.id DESC LIMIT ?3)"
	        " UNION SELECT id FROM (SELECT m.id FROM message m WHERE" TRACE_BOUNDS
	        "AND m.author_key = ?4 AND m.author_key <> '' AND m.author_key <> m.sender_key ORDER BY m.id DESC LIMIT ?3)"
	        " UNION SELECT message FROM (SELECT r.message FROM recipient r WHERE r.message < ?1 AND r.message >= ?2 AND r.address_key = ?4"
	        " ORDER BY r.message DESC LIMIT ?3)) ORDER BY m.id DESC LIMIT ?3",
	[ST_TRACE_MESSAGE_ID] = "SELECT " MESSAGE_COLUMNS " FROM message m WHERE" TRACE_BOUNDS
	                        "AND m.message_id = ?4 AND m.message_id <> '' ORDER BY m.id DESC LIMIT ?3",
	[ST_TRACE_TIME] = "SELECT " MESSAGE_COLUMNS " FROM message m WHERE" TRACE_BOUNDS "ORDER BY m.id DESC LIMIT ?3",
	[ST_RECIPIENTS_OF] = "SELECT place, address, state, reason, host, text, code, at_ms, next_ms FROM recipient WHERE message = ?1"
	                     " ORDER BY place LIMIT ?2",
	/* The certificate of a message's session stands in front of what happened to the message. */
	[ST_STEPS_OF] = "SELECT seq, at_ms, what, recipient, code, status, who, text FROM step WHERE message = ?1 UNION ALL"
	                " SELECT seq, at_ms, what, recipient, code, status, who, text FROM step WHERE message = 0 AND what = 'certificate'"
	                " AND session = ?3 AND ?3 <> 0 ORDER BY seq LIMIT ?2",
	[ST_REFUSALS] = "SELECT seq, session, at_ms, stage, listener, peer, helo, sender, recipient, code, status, text, reason, message, size"
	                " FROM refusal WHERE (?1 = 0 OR session = ?1) AND (?2 = '' OR sender_key = ?2 OR recipient_key = ?2)"
	                " AND at_ms >= ?3 AND at_ms < ?4 ORDER BY seq DESC LIMIT ?5",
};
/* clang-format on */

/* ---- small helpers ---- */

static struct store_sqlite *own(struct store *store)
{
	return (struct store_sqlite *)(void *)store;
}

static enum rc rc_of(int answer)
{
	switch (answer & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return RC_OK;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return RC_CORRUPT;
	case SQLITE_NOMEM:
		return RC_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return RC_BUSY;
	default:
		return RC_IO;
	}
}

/*
 * A value could not be bound since the last run(): that must not write a row with a hole in it. SQLite itself would, and keeps no word of
 * it beside the statement. One thread of a process uses stores.
 */
static bool bind_failed;

static void bound(int answer)
{
	bind_failed = bind_failed || answer != SQLITE_OK;
}

static void bind_text(sqlite3_stmt *statement, int place, struct slice text)
{
	/* Bound as it is: the trace shows what came. SQLite takes any bytes; the reader of a trace quotes them. */
	bound(sqlite3_bind_text64(statement, place, text.len == 0 ? "" : (const char *)text.ptr, text.len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

static void bind_key(sqlite3_stmt *statement, int place, struct slice text)
{
	uint8_t            key[KEY_MAX];
	const struct slice part = slice_take(text, KEY_MAX);

	for (size_t i = 0; i < part.len; i++)
		key[i] = byte_lower(part.ptr[i]);
	bound(sqlite3_bind_text64(statement, place, (const char *)key, part.len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

/* With its angle brackets, as messages have it, also when it was asked for without. */
static void bind_message_id(sqlite3_stmt *statement, int place, struct slice text)
{
	struct buf whole = buf_make(KEY_MAX + 2);

	if (slice_starts(text, SLICE("<"))) {
		bind_text(statement, place, text);
		return;
	}
	buf_put_byte(&whole, '<');
	buf_put(&whole, slice_take(text, KEY_MAX));
	buf_put_byte(&whole, '>');
	bind_text(statement, place, buf_slice(&whole));
	buf_done(&whole);
}

static void bind_number(sqlite3_stmt *statement, int place, uint64_t number)
{
	bound(sqlite3_bind_int64(statement, place, (sqlite3_int64)number));
}

static enum rc run(sqlite3_stmt *statement)
{
	const int answer = bind_failed ? SQLITE_NOMEM : sqlite3_step(statement);

	bind_failed = false;
	(void)sqlite3_reset(statement);
	return rc_of(answer);
}

static struct slice column_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
	const void  *bytes = sqlite3_column_blob(statement, column);
	const int    size = sqlite3_column_bytes(statement, column);
	struct slice copy;

	if (arena_copy(arena, slice_of(bytes, bytes == NULL ? 0 : (size_t)size), &copy) != RC_OK)
		return (struct slice){ NULL, 0 };
	return copy;
}

static uint64_t column_number(sqlite3_stmt *statement, int column)
{
	return (uint64_t)sqlite3_column_int64(statement, column);
}

/* ---- writing ---- */

static enum rc sqlite_begin(struct store *store)
{
	return run(own(store)->statements[ST_BEGIN]);
}

static void sqlite_abort(struct store *store)
{
	(void)run(own(store)->statements[ST_ROLLBACK]);
}

static enum rc sqlite_commit(struct store *store, const struct journal_mark *mark)
{
	struct buf    bytes = buf_make(256);
	sqlite3_stmt *statement = own(store)->statements[ST_MARK_WRITE];

	journal_mark_put(&bytes, mark);
	bound(sqlite3_bind_blob64(statement, 1, bytes.ptr, bytes.len, SQLITE_TRANSIENT));
	enum rc rc = bytes.failed ? RC_NOMEM : run(statement);
	buf_done(&bytes);
	if (rc == RC_OK)
		rc = run(own(store)->statements[ST_COMMIT]);
	return rc;
}

static enum rc sqlite_mark(struct store *store, struct journal_mark *out)
{
	sqlite3_stmt *statement = own(store)->statements[ST_MARK_READ];
	const int     answer = sqlite3_step(statement);
	enum rc       rc = RC_OK;

	*out = (struct journal_mark){ .epoch = 0 };
	if (answer == SQLITE_ROW) {
		const void   *bytes = sqlite3_column_blob(statement, 0);
		struct cursor c = cursor_on(slice_of(bytes, (size_t)sqlite3_column_bytes(statement, 0)));
		*out = journal_mark_take(&c);
		rc = cursor_ended(&c) ? RC_OK : RC_CORRUPT;
	} else {
		rc = rc_of(answer);
	}
	(void)sqlite3_reset(statement);
	return rc;
}

static enum rc sqlite_message(struct store *store, const struct event_message *message)
{
	sqlite3_stmt *s = own(store)->statements[ST_MESSAGE];

	bind_number(s, 1, message->id);
	bind_number(s, 2, message->session);
	bind_number(s, 3, message->parent);
	bind_number(s, 4, (uint64_t)message->received_ms);
	bind_number(s, 5, message->origin);
	bind_number(s, 6, message->direction);
	bind_number(s, 7, message->flags);
	bind_text(s, 8, message->listener);
	bind_text(s, 9, message->peer);
	bind_number(s, 10, message->peer_port);
	bind_text(s, 11, message->peer_name);
	bind_text(s, 12, message->helo);
	bind_text(s, 13, message->tls);
	bind_text(s, 14, message->account);
	bind_text(s, 15, message->sender);
	bind_key(s, 16, message->sender);
	bind_key(s, 17, message->author);
	bind_number(s, 18, message->body_size);
	bind_text(s, 19, message->subject);
	bind_text(s, 20, message->author);
	bind_text(s, 21, message->message_id);
	bind_number(s, 22, (uint64_t)(int64_t)message->score);
	bind_text(s, 23, message->verdict);
	bind_text(s, 24, message->verdict_reason);
	return run(s);
}

static enum rc sqlite_recipient(struct store *store, uint64_t message, const struct store_recipient *recipient, bool fresh)
{
	const bool    all = recipient->index == EVENT_ALL_RECIPIENTS;
	sqlite3_stmt *s = own(store)->statements[fresh ? ST_RECIPIENT : all ? ST_RECIPIENT_STATE_ALL : ST_RECIPIENT_STATE];

	bind_number(s, 1, message);
	bind_number(s, 2, recipient->index);
	if (fresh) {
		bind_text(s, 3, recipient->address);
		bind_key(s, 4, recipient->address);
		bind_text(s, 5, recipient->state);
		bind_text(s, 6, recipient->reason);
		bind_text(s, 7, recipient->host);
		bind_text(s, 8, recipient->text);
		bind_number(s, 9, recipient->code);
		bind_number(s, 10, (uint64_t)recipient->at_ms);
		bind_number(s, 11, (uint64_t)recipient->next_ms);
	} else {
		bind_text(s, 3, recipient->state);
		bind_text(s, 4, recipient->host);
		bind_text(s, 5, recipient->text);
		bind_number(s, 6, recipient->code);
		bind_number(s, 7, (uint64_t)recipient->at_ms);
		bind_number(s, 8, (uint64_t)recipient->next_ms);
	}
	return run(s);
}

static enum rc sqlite_step_row(struct store *store, const struct store_step *step)
{
	sqlite3_stmt *s = own(store)->statements[ST_STEP];

	bind_number(s, 1, step->message);
	bind_number(s, 2, step->seq);
	bind_number(s, 3, step->recipient);
	bind_number(s, 4, step->session);
	bind_number(s, 5, (uint64_t)step->at_ms);
	bind_text(s, 6, step->what);
	bind_number(s, 7, step->code);
	bind_text(s, 8, step->status);
	bind_text(s, 9, step->who);
	bind_text(s, 10, step->text);
	return run(s);
}

static enum rc sqlite_refusal(struct store *store, uint64_t seq, const struct event_refused *refused)
{
	sqlite3_stmt *s = own(store)->statements[ST_REFUSAL];

	bind_number(s, 1, seq);
	bind_number(s, 2, refused->session);
	bind_number(s, 3, (uint64_t)refused->at_ms);
	bind_number(s, 4, refused->stage);
	bind_text(s, 5, refused->listener);
	bind_text(s, 6, refused->peer);
	bind_text(s, 7, refused->helo);
	bind_text(s, 8, refused->sender);
	bind_key(s, 9, refused->sender);
	bind_text(s, 10, refused->recipient);
	bind_key(s, 11, refused->recipient);
	bind_number(s, 12, refused->code);
	bind_text(s, 13, refused->enhanced);
	bind_text(s, 14, refused->text);
	bind_text(s, 15, refused->reason);
	bind_number(s, 16, refused->message);
	bind_number(s, 17, refused->size);
	return run(s);
}

/* ---- reading ---- */

static void read_message(sqlite3_stmt *s, struct arena *arena, struct event_message *out)
{
	*out = (struct event_message){ .id = column_number(s, 0) };
	out->session = column_number(s, 1);
	out->parent = column_number(s, 2);
	out->received_ms = (int64_t)column_number(s, 3);
	out->origin = (enum event_origin)column_number(s, 4);
	out->direction = (enum direction)column_number(s, 5);
	out->flags = (uint32_t)column_number(s, 6);
	out->listener = column_text(s, 7, arena);
	out->peer = column_text(s, 8, arena);
	out->peer_port = (uint16_t)column_number(s, 9);
	out->peer_name = column_text(s, 10, arena);
	out->helo = column_text(s, 11, arena);
	out->tls = column_text(s, 12, arena);
	out->account = column_text(s, 13, arena);
	out->sender = column_text(s, 14, arena);
	out->body_size = column_number(s, 15);
	out->subject = column_text(s, 16, arena);
	out->author = column_text(s, 17, arena);
	out->message_id = column_text(s, 18, arena);
	out->score = (int32_t)(int64_t)column_number(s, 19);
	out->verdict = column_text(s, 20, arena);
	out->verdict_reason = column_text(s, 21, arena);
}

static enum rc read_recipients(struct store_sqlite *store, uint64_t message, struct arena *arena, struct store_trace *trace)
{
	sqlite3_stmt           *s = store->statements[ST_RECIPIENTS_OF];
	struct store_recipient *rows = arena_take(arena, STORE_RECIPIENTS_SHOWN, sizeof *rows);
	int                     answer = SQLITE_NOMEM;

	bind_number(s, 1, message);
	bind_number(s, 2, STORE_RECIPIENTS_SHOWN);
	while (rows != NULL && (answer = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_recipient *row = &rows[trace->recipient_count++];
		row->index = (uint32_t)column_number(s, 0);
		row->address = column_text(s, 1, arena);
		row->state = column_text(s, 2, arena);
		row->reason = column_text(s, 3, arena);
		row->host = column_text(s, 4, arena);
		row->text = column_text(s, 5, arena);
		row->code = (uint32_t)column_number(s, 6);
		row->at_ms = (int64_t)column_number(s, 7);
		row->next_ms = (int64_t)column_number(s, 8);
	}
	(void)sqlite3_reset(s);
	trace->recipients = rows;
	return rc_of(answer);
}

static enum rc read_steps(struct store_sqlite *store, struct arena *arena, struct store_trace *trace)
{
	const uint64_t     message = trace->message.id;
	sqlite3_stmt      *s = store->statements[ST_STEPS_OF];
	struct store_step *rows = arena_take(arena, STORE_STEPS_SHOWN, sizeof *rows);
	int                answer = SQLITE_NOMEM;

	bind_number(s, 1, message);
	bind_number(s, 2, STORE_STEPS_SHOWN);
	bind_number(s, 3, trace->message.session);
	while (rows != NULL && (answer = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_step *row = &rows[trace->step_count++];
		row->message = message;
		row->seq = column_number(s, 0);
		row->at_ms = (int64_t)column_number(s, 1);
		row->what = column_text(s, 2, arena);
		row->recipient = (uint32_t)column_number(s, 3);
		row->code = (uint32_t)column_number(s, 4);
		row->status = column_text(s, 5, arena);
		row->who = column_text(s, 6, arena);
		row->text = column_text(s, 7, arena);
	}
	(void)sqlite3_reset(s);
	trace->steps = rows;
	return rc_of(answer);
}

/* The statement for what is asked, its ?4 bound. */
static sqlite3_stmt *trace_statement(struct store_sqlite *store, const struct store_filter *filter)
{
	sqlite3_stmt *s = store->statements[ST_TRACE_TIME];

	if (filter->message != 0) {
		s = store->statements[ST_TRACE_ID];
		bind_number(s, 4, filter->message);
	} else if (filter->session != 0) {
		s = store->statements[ST_TRACE_SESSION];
		bind_number(s, 4, filter->session);
	} else if (filter->message_id.len != 0) {
		s = store->statements[ST_TRACE_MESSAGE_ID];
		bind_message_id(s, 4, filter->message_id);
	} else if (filter->address.len != 0) {
		s = store->statements[ST_TRACE_ADDRESS];
		bind_key(s, 4, filter->address);
	}
	return s;
}

/* Ids are below 2^63 until the year 2248, hence fit SQLite's signed integers. */
static uint64_t id_at(int64_t ms)
{
	return ms <= 0 ? 0 : (uint64_t)ms << 20;
}

static enum rc sqlite_trace(struct store *store, const struct store_filter *filter, struct arena *arena,
                            void (*each)(void *context, const struct store_trace *trace), void *context)
{
	struct store_sqlite *sqlite = own(store);
	sqlite3_stmt        *s = trace_statement(sqlite, filter);
	uint64_t             below = filter->until_ms == 0 ? INT64_MAX : id_at(filter->until_ms);
	int                  answer;
	enum rc              rc = RC_OK;

	if (filter->before != 0 && filter->before < below)
		below = filter->before;
	bind_number(s, 1, below);
	bind_number(s, 2, id_at(filter->from_ms));
	bind_number(s, 3, filter->limit);
	while ((answer = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_trace trace = { .recipient_count = 0 };
		arena_reset(arena);
		read_message(s, arena, &trace.message);
		rc = read_recipients(sqlite, trace.message.id, arena, &trace);
		if (rc == RC_OK)
			rc = read_steps(sqlite, arena, &trace);
		if (rc != RC_OK)
			break;
		each(context, &trace);
	}
	(void)sqlite3_reset(s);
	return rc != RC_OK ? rc : rc_of(answer);
}

static enum rc sqlite_refusals(struct store *store, const struct store_filter *filter, struct arena *arena,
                               void (*each)(void *context, const struct store_refusal *refusal), void *context)
{
	sqlite3_stmt *s = own(store)->statements[ST_REFUSALS];
	int           answer;

	bind_number(s, 1, filter->session);
	bind_key(s, 2, filter->address);
	bind_number(s, 3, (uint64_t)filter->from_ms);
	bind_number(s, 4, filter->until_ms == 0 ? INT64_MAX : (uint64_t)filter->until_ms);
	bind_number(s, 5, filter->limit);
	while ((answer = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_refusal refusal = { .seq = column_number(s, 0) };
		arena_reset(arena);
		refusal.refused.session = column_number(s, 1);
		refusal.refused.at_ms = (int64_t)column_number(s, 2);
		refusal.refused.stage = (enum event_stage)column_number(s, 3);
		refusal.refused.listener = column_text(s, 4, arena);
		refusal.refused.peer = column_text(s, 5, arena);
		refusal.refused.helo = column_text(s, 6, arena);
		refusal.refused.sender = column_text(s, 7, arena);
		refusal.refused.recipient = column_text(s, 8, arena);
		refusal.refused.code = (uint32_t)column_number(s, 9);
		refusal.refused.enhanced = column_text(s, 10, arena);
		refusal.refused.text = column_text(s, 11, arena);
		refusal.refused.reason = column_text(s, 12, arena);
		refusal.refused.message = column_number(s, 13);
		refusal.refused.size = column_number(s, 14);
		each(context, &refusal);
	}
	(void)sqlite3_reset(s);
	return rc_of(answer);
}

/* ---- open and close ---- */

static void sqlite_close(struct store *store)
{
	struct store_sqlite *sqlite = own(store);

	for (size_t i = 0; i < ST_COUNT; i++)
		(void)sqlite3_finalize(sqlite->statements[i]);
	(void)sqlite3_close(sqlite->db);
	memory_give(sqlite);
}

static const struct store_calls calls = {
	.close = sqlite_close,
	.mark = sqlite_mark,
	.begin = sqlite_begin,
	.message = sqlite_message,
	.recipient = sqlite_recipient,
	.step = sqlite_step_row,
	.refusal = sqlite_refusal,
	.commit = sqlite_commit,
	.abort = sqlite_abort,
	.trace = sqlite_trace,
	.refusals = sqlite_refusals,
};

/* 0 in a file that was just made. */
static enum rc check_version(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int           answer = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
	int           version = -1;

	if (answer == SQLITE_OK && (answer = sqlite3_step(statement)) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	if (version == 0 || version == STORE_VERSION)
		return RC_OK;
	return version < 0 ? rc_of(answer) : RC_CORRUPT;
}

static int prepare(struct store_sqlite *sqlite)
{
	int answer = sqlite3_busy_timeout(sqlite->db, BUSY_MS);

	for (size_t i = 0; answer == SQLITE_OK && i < sizeof schema / sizeof *schema; i++)
		answer = sqlite3_exec(sqlite->db, schema[i], NULL, NULL, NULL);
	for (size_t i = 0; answer == SQLITE_OK && i < ST_COUNT; i++)
		answer = sqlite3_prepare_v3(sqlite->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &sqlite->statements[i], NULL);
	return answer;
}

enum rc store_sqlite_open(const char *path, struct fault *fault, struct store **out)
{
	struct store_sqlite *sqlite = memory_take(1, sizeof *sqlite);

	if (sqlite == NULL)
		return fault_set(fault, RC_NOMEM, "no memory for the store", 0, 0);
	sqlite->store.calls = &calls;
	int     answer = sqlite3_open_v2(path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	enum rc rc = rc_of(answer);
	if (rc == RC_OK)
		rc = check_version(sqlite->db);
	if (rc == RC_OK)
		rc = rc_of(answer = prepare(sqlite));
	if (rc != RC_OK) {
		sqlite_close(&sqlite->store);
		return fault_set(fault, rc, "opening the store", 0, answer);
	}
	*out = &sqlite->store;
	return RC_OK;
}
