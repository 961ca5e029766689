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
	X(ARCHIVE_POLYGLOT, "archive.polyglot", "The file is an archive and something else at the same time.") \
	X(ARCHIVE_DIRECTORY, "archive.directory", "The archive's directories differ about a member: readers unpack different things.") \
	X(ARCHIVE_HIDDEN, "archive.hidden", "The archive holds members that its directory does not know: only some readers unpack them.") \
	X(ARCHIVE_VOLUME, "archive.volume", "The file is one part of an archive in several parts: members lie in the other ones.") \
	/* documents of office programs */                                                                          \
	X(OFFICE_TEMPLATE, "office.template", "The document fetches its template from elsewhere as it is opened.") \
	X(OFFICE_EXTERNAL, "office.external", "The document fetches an object, frame, picture or data from elsewhere as it is opened.") \
	X(OFFICE_DDE, "office.dde", "A field or cell of the document starts another program by DDE.")             \
	X(OFFICE_OBJECT, "office.object", "An object of another program is embedded in the document.")            \
	X(OFFICE_PACKAGE, "office.package", "A file is embedded in the document as a package, which opens by a double click.") \
	X(OFFICE_AUTO_OBJECT, "office.auto_object", "An object is loaded by itself as the document is opened.")   \
	X(OFFICE_EQUATION, "office.equation", "An object of the Equation Editor, which has well-known holes and is no longer made.") \
	X(OFFICE_CLASS, "office.class", "An object of a class whose program has been attacked, or that can start programs.") \
	X(OFFICE_ACTIVEX, "office.activex", "The document has ActiveX controls.")                                 \
	X(OFFICE_ACTION, "office.action", "A click or a movement of the mouse starts a program or a macro.")      \
	X(OFFICE_OBFUSCATED, "office.obfuscated", "The document is written in a way that no office program writes: to hide an object from scanners.") \
	X(OFFICE_HIDDEN_SHEET, "office.hidden_sheet", "A sheet is hidden so that its reader's menus do not show it.") \
	X(OFFICE_ORPHAN, "office.orphan", "The compound file has streams that no storage leads to.")              \
	X(OFFICE_RIGHTS, "office.rights", "The document is encrypted by rights management.")                      \
	X(OFFICE_ENTITIES, "office.entities", "The XML of the document declares a document type or entities, which office programs never write.") \
	X(OFFICE_ADD_IN, "office.add_in", "The document brings an add-in or a part of the user interface that calls macros.") \
	/* macros */                                                                                                \
	X(MACRO_VBA, "macro.vba", "The document has Visual Basic macros.")                                        \
	X(MACRO_BASIC, "macro.basic", "The document has macros in another language than Visual Basic.")           \
	X(MACRO_XLM, "macro.xlm", "The workbook has Excel 4 macros.")                                             \
	X(MACRO_DAMAGED, "macro.damaged", "The macro project is damaged, and readers show different parts of it.") \
	X(MACRO_STOMPED, "macro.stomped", "The compiled macros are not those of the source text that is shown.")  \
	X(MACRO_LOCKED, "macro.locked", "The macro project is locked against viewing.")                           \
	X(MACRO_AUTORUN, "macro.autorun", "A macro runs by itself as the document is opened, closed or looked at.") \
	X(MACRO_EXECUTE, "macro.execute", "A macro starts a program or a command.")                               \
	X(MACRO_OBJECT, "macro.object", "A macro creates objects of other programs.")                             \
	X(MACRO_NETWORK, "macro.network", "A macro fetches something from the network.")                          \
	X(MACRO_FILE, "macro.file", "A macro writes, copies or deletes files.")                                   \
	X(MACRO_NATIVE, "macro.native", "A macro calls functions of the operating system's libraries.")          \
	X(MACRO_SYSTEM, "macro.system", "A macro reads or changes the system's settings, or looks for the signs of a sandbox.") \
	X(MACRO_OBFUSCATION, "macro.obfuscation", "A macro hides its strings or the names of what it calls.")     \
	X(MACRO_SELF, "macro.self", "A macro changes macros.") \
	/* pictures */                                                                                              \
	X(IMAGE_CODE, "image.code", "A QR or bar code stands in a picture, or is drawn.")                          \
	/* PDF */                                                                                                   \
	X(PDF_SCRIPT, "pdf.script", "The document has JavaScript.")                                                \
	X(PDF_OPEN_ACTION, "pdf.open_action", "Something happens by itself when the document or a page is opened, and it is more than a jump.") \
	X(PDF_LAUNCH, "pdf.launch", "The document asks its reader to start a program or to open a file.")          \
	X(PDF_REMOTE, "pdf.remote", "The document jumps to another file or loads one from elsewhere.")             \
	X(PDF_SUBMIT, "pdf.submit", "The document sends what is typed into its form to an address.")               \
	X(PDF_EMBEDDED, "pdf.embedded", "The document carries embedded files.")                                    \
	X(PDF_FORM, "pdf.form", "The document has a form to be filled in.")                                        \
	X(PDF_XFA, "pdf.xfa", "The document has an XFA form, whose template can hold scripts.")                    \
	X(PDF_RICH_MEDIA, "pdf.rich_media", "The document plays films, sounds, Flash or 3D models.")               \
	X(PDF_ENCRYPTED, "pdf.encrypted", "The document is encrypted, though it may open without a password.")     \
	X(PDF_NAME_ESCAPED, "pdf.name_escaped", "A name that does something is written with escapes, as no writer does.") \
	X(PDF_LIMIT, "pdf.limit", "The document has more objects or deeper ones than are read.")                   \
	/* shortcuts */                                                                                             \
	X(SHORTCUT_TARGET, "shortcut.target", "A shortcut starts a program.")                                      \
	X(SHORTCUT_HIDDEN, "shortcut.arguments_hidden", "The arguments of a shortcut are longer than its window shows, or padded with blanks.") \
	X(SHORTCUT_ICON, "shortcut.icon", "A shortcut shows the icon of a document or comes from elsewhere.")      \
	X(SHORTCUT_REMOTE, "shortcut.remote", "A shortcut leads to a server.")                                     \
	X(SHORTCUT_TRAILING, "shortcut.trailing", "Data stands behind the end of a shortcut.")                     \
	/* scripts */                                                                                               \
	X(SCRIPT_KIND, "script.kind", "A script that a double click runs.")                                        \
	X(SCRIPT_ENCODED, "script.encoded", "A script is encoded (VBE, JSE); it was decoded.")                     \
	X(SCRIPT_SUSPICIOUS, "script.suspicious", "A script makes calls that downloaders and droppers make.")      \
	X(SCRIPT_OBFUSCATED, "script.obfuscated", "A script is written so that nobody can read it.")               \
	/* calendars and cards */                                                                                   \
	X(CALENDAR_ATTACHMENT, "calendar.attachment", "A calendar entry or card carries or names a file.")         \
	X(CALENDAR_INVITATION, "calendar.invitation", "A calendar entry invites; many readers enter it by themselves.") \
	X(CALENDAR_ALARM, "calendar.alarm", "A calendar entry's alarm runs a program or sends a message.")         \
	/* Outlook's own formats */                                                                                 \
	X(OUTLOOK_ATTACHMENT_LINKED, "outlook.attachment_linked", "An attachment is a reference to a file elsewhere.") \
	X(OUTLOOK_REMINDER, "outlook.reminder_remote", "A reminder's sound lies on a server: Outlook fetches it by itself and shows its password hash.")
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
