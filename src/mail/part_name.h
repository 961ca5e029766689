/*
 * The names that readers show for a part: from the parameters of Content-Type and Content-Disposition, in all their
 * readings (mail/mime.h), from every field of those names; and Content-Description where neither gives one.
 */
#ifndef MAIL_PART_NAME_H
#define MAIL_PART_NAME_H

#include "mail/message.h"

struct part_names {
	/* The first reading of `disposition`, else of `type`, else of `description` is what most readers show. */
	struct mime_readings type;        /* Content-Type: name and, for some readers, filename */
	struct mime_readings disposition; /* Content-Disposition: filename and, for some, name */
	struct mime_readings description; /* only when the other two are empty */
};

/*
 * All readings of the names of `part`. RC_NOMEM: *out holds what was read so far. At most `parameters_max` parameters
 * of each field are read.
 */
MUST_CHECK enum rc part_names_read(const struct message_part *part, size_t parameters_max, struct arena *arena,
                                   struct part_names *out);

#endif
