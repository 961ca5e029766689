/* Numbers, names and meaning of the functions that Excel 4 macros call. Source: [MS-XLS] sections 2.5.198.4 and 2.5.198.17. */
#ifndef DOCUMENT_XLM_NAMES_H
#define DOCUMENT_XLM_NAMES_H

#include "content/sink.h"

/* The name of function `number`; one that is not in the table gets a name from its number in `room`. Bit 15: a command. */
struct slice xlm_name_of(unsigned number, uint8_t room[8]);

/* How many arguments a function takes that is stored without their count. */
size_t xlm_name_arguments(unsigned number);

/* Tell the sink what calling this function means, if it means anything. */
MUST_CHECK enum rc xlm_name_tell(struct slice name, const struct content_sink *sink);

#endif
