/* Shared pages of numbers, and their text form. */
#include "sys/counters.h"

#include "base/must.h"
#include "sys/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Where a process counts before it is given a page: unit tests, tools. */
static struct counters_page private_page;

struct counters_page *counters_mine = &private_page;

struct row {
	const char *family;
	const char *labels;
	const char *help;
};

#define ROW_OF(word, family, labels, help) { family, labels, help },
#define HISTOGRAM_ROW_OF(word, family, help) { family, "", help },

static const struct row counter_rows[] = { COUNTER_TABLE(ROW_OF) };
static const struct row gauge_rows[] = { GAUGE_TABLE(ROW_OF) };
static const struct row histogram_rows[] = { HISTOGRAM_TABLE(HISTOGRAM_ROW_OF) };

_Static_assert(sizeof counter_rows / sizeof counter_rows[0] == COUNT_COUNT, "a row for each counter");
_Static_assert(sizeof gauge_rows / sizeof gauge_rows[0] == GAUGE_COUNT, "a row for each gauge");
_Static_assert(sizeof histogram_rows / sizeof histogram_rows[0] == HISTOGRAM_COUNT, "a row for each histogram");

enum rc counters_make(size_t count, struct counters_page **out)
{
	must(count != 0);
	must(count <= COUNTERS_PAGES_MAX);
	void *pages = mmap(NULL, count * sizeof(struct counters_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return errno == ENOMEM ? RC_NOMEM : file_rc(errno);
	*out = pages;
	return RC_OK;
}

void counters_use(struct counters_page *page)
{
	must(page != NULL);
	counters_mine = page;
}

void counters_forget_gauges(struct counters_page *page)
{
	for (size_t i = 0; i < GAUGE_COUNT; i++)
		atomic_store_explicit(&page->gauges[i], 0, memory_order_relaxed);
}

void histogram_add(enum histogram which, uint64_t us)
{
	size_t   bucket = 0;
	uint64_t bound = HISTOGRAM_FIRST_US;

	while (us > bound && bucket < HISTOGRAM_BUCKETS - 1) {
		bound *= 2;
		bucket++;
	}
	atomic_fetch_add_explicit(&counters_mine->histograms[which].buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counters_mine->histograms[which].sum_us, us, memory_order_relaxed);
}

uint64_t counters_sum(const struct counters_page *pages, size_t count, enum counter which)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += atomic_load_explicit(&pages[i].counters[which], memory_order_relaxed);
	return sum;
}

int64_t counters_gauge_sum(const struct counters_page *pages, size_t count, enum gauge which)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += atomic_load_explicit(&pages[i].gauges[which], memory_order_relaxed);
	return sum;
}

/* HELP and TYPE stand once before the first row of a family (Prometheus text format 0.0.4). */
static void put_head(struct buf *out, const struct row *rows, size_t index, const char *type)
{
	if (index != 0 && strcmp(rows[index - 1].family, rows[index].family) == 0)
		return;
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[index].family, rows[index].help, rows[index].family, type);
}

static void put_name(struct buf *out, const struct row *row)
{
	buf_put_str(out, row->family);
	if (row->labels[0] != '\0')
		buf_printf(out, "{%s}", row->labels);
	buf_put_byte(out, ' ');
}

/* Microseconds as seconds with six places; no floating point, which would write one number in many ways. */
static void put_seconds(struct buf *out, uint64_t us)
{
	buf_put_u64(out, us / 1000000u);
	buf_put_byte(out, '.');
	buf_put_padded(out, us % 1000000u, 6);
}

static void put_histogram(struct buf *out, const struct counters_page *pages, size_t count, size_t which)
{
	const char *family = histogram_rows[which].family;
	uint64_t    total = 0, sum_us = 0, bound = HISTOGRAM_FIRST_US;

	put_head(out, histogram_rows, which, "histogram");
	for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++, bound *= 2) {
		for (size_t i = 0; i < count; i++)
			total += atomic_load_explicit(&pages[i].histograms[which].buckets[bucket], memory_order_relaxed);
		buf_printf(out, "%s_bucket{le=\"", family);
		if (bucket == HISTOGRAM_BUCKETS - 1)
			buf_put_str(out, "+Inf");
		else
			put_seconds(out, bound);
		buf_put_str(out, "\"} ");
		buf_put_u64(out, total);
		buf_put_byte(out, '\n');
	}
	for (size_t i = 0; i < count; i++)
		sum_us += atomic_load_explicit(&pages[i].histograms[which].sum_us, memory_order_relaxed);
	buf_printf(out, "%s_sum ", family);
	put_seconds(out, sum_us);
	buf_printf(out, "\n%s_count ", family);
	buf_put_u64(out, total);
	buf_put_byte(out, '\n');
}

void counters_write(const struct counters_page *pages, size_t count, struct buf *out)
{
	for (size_t i = 0; i < COUNT_COUNT; i++) {
		put_head(out, counter_rows, i, "counter");
		put_name(out, &counter_rows[i]);
		buf_put_u64(out, counters_sum(pages, count, (enum counter)i));
		buf_put_byte(out, '\n');
	}
	for (size_t i = 0; i < GAUGE_COUNT; i++) {
		put_head(out, gauge_rows, i, "gauge");
		put_name(out, &gauge_rows[i]);
		buf_put_i64(out, counters_gauge_sum(pages, count, (enum gauge)i));
		buf_put_byte(out, '\n');
	}
	for (size_t i = 0; i < HISTOGRAM_COUNT; i++)
		put_histogram(out, pages, count, i);
}
