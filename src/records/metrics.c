/* The adapter to libmicrohttpd: one page. */
#include "records/metrics.h"

#include "base/memory.h"

#include <microhttpd.h>
#include <string.h>

#define IDLE_S 10u
#define CONNECTION_MEMORY (16u << 10)

struct metrics {
	struct MHD_Daemon          *daemon;
	const struct counters_page *pages;
	size_t                      count;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, struct slice body, const char *type)
{
	/* The library does not write to a body of MUST_COPY; its interface has no const. */
	struct MHD_Response *response =
	        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(response, "Content-Type", type);
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	const enum MHD_Result result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
	const struct metrics *metrics = context;
	struct buf            text = buf_make(METRICS_BYTES_MAX);
	(void)version;
	(void)upload;
	(void)request;

	if (*upload_size != 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0)
		return answer(connection, MHD_HTTP_NOT_FOUND, SLICE("The metrics are at /metrics.\n"), "text/plain; charset=utf-8");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, SLICE("GET only.\n"), "text/plain; charset=utf-8");
	counters_write(metrics->pages, metrics->count, &text);
	const enum MHD_Result result =
	        text.failed ? answer(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, SLICE("No memory.\n"), "text/plain; charset=utf-8")
	                    : answer(connection, MHD_HTTP_OK, buf_slice(&text), "text/plain; version=0.0.4; charset=utf-8");
	buf_done(&text);
	return result;
}

enum rc metrics_open(int socket, const struct counters_page *pages, size_t count, struct metrics **out)
{
	struct metrics *metrics = memory_take(1, sizeof *metrics);

	if (metrics == NULL)
		return RC_NOMEM;
	metrics->pages = pages;
	metrics->count = count;
	metrics->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, handle, metrics,
	                                   MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT, METRICS_CONNECTIONS_MAX,
	                                   MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	                                   (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (metrics->daemon == NULL) {
		memory_give(metrics);
		return RC_IO;
	}
	*out = metrics;
	return RC_OK;
}

void metrics_close(struct metrics **metrics)
{
	struct metrics *gone = *metrics;

	*metrics = NULL;
	if (gone != NULL)
		MHD_stop_daemon(gone->daemon);
	memory_give(gone);
}
