/* The end of a process that has caught itself in a mistake. Uses nothing that could itself be broken: no heap, no stdio. */
#include "base/must.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line {
	char   text[256];
	size_t size;
};

static void append(struct line *line, const char *text)
{
	const size_t room = sizeof line->text - line->size;
	size_t       size = strlen(text);

	if (size > room)
		size = room;
	memcpy(line->text + line->size, text, size);
	line->size += size;
}

void must_fail(const char *condition, const char *file, int line_number)
{
	struct line line = { .size = 0 };
	char        digits[12];
	size_t      at = sizeof digits - 1;

	digits[at] = '\0';
	for (unsigned number = (unsigned)line_number; number != 0; number /= 10)
		digits[--at] = (char)('0' + number % 10);

	append(&line, "must(");
	append(&line, condition);
	append(&line, ") failed at ");
	append(&line, file);
	append(&line, ":");
	append(&line, digits + at);
	line.text[line.size < sizeof line.text ? line.size : sizeof line.text - 1] = '\n';
	line.size = line.size < sizeof line.text ? line.size + 1 : sizeof line.text;
	const ssize_t written = write(2, line.text, line.size);
	(void)written; /* there is nobody left to tell */
	abort();
}
