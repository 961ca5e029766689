/*
 * What an opener can find in a file, besides members, texts and links. One table: enumerator, name, meaning. Each
 * becomes the finding of the same name (scan/findings.h); facts are added at the end of their group.
 */
#ifndef CONTENT_FACTS_H
#define CONTENT_FACTS_H

/* clang-format off: a table */
#define CONTENT_FACT_TABLE(X)                                                                                       \
	/* any container */                                                                                         \
	X(ENCRYPTED, "content.encrypted", "The file, or a member of it, is encrypted and could not be opened.")    \
	X(PASSWORD, "content.password", "The file was opened with a password that stands in the message.")         \
	X(PASSWORD_DEFAULT, "content.password_default", "The file is encrypted with a password that its reader tries by itself.") \
	X(DAMAGED, "content.damaged", "The file is damaged; readers show different parts of it.")                  \
	X(UNREADABLE, "content.unreadable", "The file is of a kind that is recognised and cannot be opened.")      \
	X(TRAILING, "content.trailing", "Data stands before the beginning or behind the end of the file.")         \
	X(BOMB, "content.bomb", "The file expands beyond all measure, or contains itself.")                        \
	/* archives */                                                                                              \
	X(ARCHIVE_NAME, "archive.name", "A member's name leads out of the folder it is unpacked into, or differs between two directories of the archive.") \
	X(ARCHIVE_DUPLICATE, "archive.duplicate", "Two members have the same name: readers unpack different ones.") \
	X(ARCHIVE_OVERLAP, "archive.overlap", "Members share the same bytes, or lie where the directory does not say.") \
	X(ARCHIVE_POLYGLOT, "archive.polyglot", "The file is an archive and something else at the same time.")
/* clang-format on */

enum content_fact {
#define CONTENT_FACT_ENUMERATOR(name, text, meaning) CONTENT_FACT_##name,
	CONTENT_FACT_TABLE(CONTENT_FACT_ENUMERATOR)
#undef CONTENT_FACT_ENUMERATOR
	CONTENT_FACTS
};

/* "archive.name"; and one sentence about it. */
const char *content_fact_name(enum content_fact fact);
const char *content_fact_meaning(enum content_fact fact);

#endif
