/*
 * Compound files, the file system in a file that Office 97, .msg, .msi and many embedded objects use. Source: [MS-CFB].
 *
 * Versions 3 and 4; allocation table, mini allocation table and their chains read as far as they make sense: cycles end,
 * sectors outside of the file are left out, a header that lies is not believed where the bytes say otherwise. What is
 * read is the directory both as a tree and as the flat array that it is stored as: entries that no storage leads to
 * ("orphans") are told, too, since some readers find them.
 *
 * Time is linear in the file for ole_open(), and linear in the stream for ole_stream(); both are charged to
 * BUDGET_STEPS, a step a byte.
 */
#ifndef DOCUMENT_OLE_H
#define DOCUMENT_OLE_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"
#include "content/budget.h"

#define OLE_NONE        UINT32_MAX /* no entry */
#define OLE_ENTRIES_MAX 16384u     /* of the directory; more are not read */
#define OLE_NAME_MAX    93u        /* bytes: 31 UTF-16 units as UTF-8 */

enum ole_kind { OLE_STORAGE, OLE_STREAM, OLE_ROOT };

struct ole_entry {
	struct slice  name; /* UTF-8; control characters as they stand ("\1Ole10Native") */
	enum ole_kind kind;
	uint32_t      parent;   /* entry of its storage; OLE_NONE: the root, or an orphan */
	uint32_t      first;    /* its first sector */
	uint64_t      claimed;  /* bytes, as the directory says */
	struct slice  clsid;    /* 16 bytes as they stand in the file: the class that opens a storage; all 0: none */
	uint64_t      modified; /* 100 ns since 1601, 0: not said */
	bool          orphan;   /* no storage leads here */
};

struct ole {
	struct slice file;
	const struct ole_entry
		*entries; /* in the order of the directory, unused ones left out; entry 0 is the root if there is one */
	uint32_t count;
	bool     damaged; /* something did not make sense and was left out */
	/* private */
	unsigned        shift;   /* a sector is 1 << shift bytes */
	uint64_t        cutoff;  /* streams below this lie in the mini stream */
	uint32_t        sectors; /* in the file, the last one perhaps cut */
	const uint32_t *fat;     /* numbers of the sectors with the allocation table */
	uint32_t        fat_count;
	struct slice    mini_fat;
	struct slice    mini;
};

/* Whether `file` begins as a compound file does. */
bool ole_is(struct slice file);

/*
 * Read header, tables and directory. `file` must outlive *out. Everything lies in `arena` or is borrowed from `file`;
 * an arena of OLE_ARENA(file.len) bytes is enough for this and for gathering every stream of an honest file once.
 *
 * RC_SYNTAX  not a compound file, or without a directory.
 * RC_LIMIT   BUDGET_STEPS is used up.
 * RC_NOMEM   the arena is full.
 */
MUST_CHECK enum rc ole_open(struct slice file, struct budget *budget, struct arena *arena, struct ole *out);

#define OLE_ARENA(bytes) ((size_t)(bytes)*3 + (size_t)(bytes) / 128 * sizeof(struct ole_entry) + 65536u)

/*
 * The bytes of stream `index`, borrowed from the file where they lie together, else gathered in `arena`. *whole is false
 * when the file holds less than the directory claims. `index` is below ole->count; a storage has no bytes.
 *
 * RC_LIMIT, RC_NOMEM as above.
 */
MUST_CHECK enum rc ole_stream(const struct ole *ole, uint32_t index, struct budget *budget, struct arena *arena,
                              struct slice *out, bool *whole);

/* The entry called `name` (ASCII letters without their case) in storage `parent`, or OLE_NONE. */
uint32_t ole_child(const struct ole *ole, uint32_t parent, struct slice name);

/* The same down a path with "/" between names: "Macros/VBA/dir". */
uint32_t ole_path(const struct ole *ole, uint32_t parent, struct slice path);

#endif
