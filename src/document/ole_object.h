/*
 * Embedded and linked objects: the packages that carry files, objects of OLE 1 as RTF holds them, the addresses in
 * monikers, and the classes whose programs have been attacked. Source: [MS-OLEDS].
 */
#ifndef DOCUMENT_OLE_OBJECT_H
#define DOCUMENT_OLE_OBJECT_H

#include "content/sink.h"

/*
 * A package, the contents of a stream "\1Ole10Native" behind its size field: label, file name, path, bytes. Tells the
 * member with its name and OFFICE_PACKAGE; a linked file becomes a link. RC_SYNTAX when it is no package: nothing was
 * told. RC_LIMIT, or what the sink returned.
 */
MUST_CHECK enum rc ole_package_read(struct slice native, struct budget *budget, const struct content_sink *sink);

/*
 * An object of OLE 1 ([MS-OLEDS] section 2.2): class, topic, item, data. Tells it as a member, its class as facts, and
 * a package's file. Where the header makes no sense, a compound file that stands anywhere in the bytes is told instead,
 * with OFFICE_OBFUSCATED. RC_SYNTAX: neither; nothing was told.
 */
MUST_CHECK enum rc ole_object_read(struct slice object, struct budget *budget, const struct content_sink *sink);

/* Every address in URL and file monikers among `bytes` ([MS-OSHARED] section 2.3.7), as a link; *count grows by their number. */
MUST_CHECK enum rc ole_monikers_tell(struct slice bytes, enum content_place place, const struct content_sink *sink,
                                     size_t *count);

/* A class by its 16 bytes, or by the name a program registers: facts, if there is something to say about it. */
MUST_CHECK enum rc ole_class_tell(struct slice clsid, const struct content_sink *sink);
MUST_CHECK enum rc ole_class_name_tell(struct slice name, const struct content_sink *sink);

#endif
