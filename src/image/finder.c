/* Runs along each row, held against the column through their middle. */
#include "image/finder.h"

#include <math.h>

/* Are five runs 1:1:3:1:1, each within 0.7 of a module (1.5 for the middle)? */
static bool is_pattern(const uint32_t *runs, double *module)
{
	const uint32_t sum = runs[0] + runs[1] + runs[2] + runs[3] + runs[4];

	if (sum < 7)
		return false;
	const double unit = sum / 7.0, slack = unit * 0.7;
	for (size_t i = 0; i < 5; i++) {
		if (runs[i] == 0 || fabs((i == 2 ? 3 : 1) * unit - runs[i]) > (i == 2 ? slack * 2 : slack))
			return false;
	}
	*module = unit;
	return true;
}

/* The run of `value` from (x, y) by `step` rows, at most `most`; moves *y behind it. */
static uint32_t run_down(const struct picture *picture, uint32_t x, int64_t *y, int step, bool dark_wanted, uint8_t dark,
                         uint32_t most)
{
	uint32_t count = 0;

	while (*y >= 0 && *y < picture->height && count <= most &&
	       (picture->planes[PICTURE_GREY][(size_t)*y * picture->width + x] == dark) == dark_wanted) {
		count++;
		*y += step;
	}
	return count;
}

/* The same pattern in the column through (x, y), which is dark; sets its middle. */
static bool is_crossed(const struct picture *picture, uint8_t dark, uint32_t x, uint32_t y, double module, double *middle)
{
	const uint32_t most = (uint32_t)(module * 5) + 2;
	int64_t        up = y, down = (int64_t)y + 1;
	uint32_t       runs[5];
	double         unit;

	const uint32_t above = run_down(picture, x, &up, -1, true, dark, most);
	runs[1] = run_down(picture, x, &up, -1, false, dark, most);
	runs[0] = run_down(picture, x, &up, -1, true, dark, most);
	const uint32_t below = run_down(picture, x, &down, 1, true, dark, most);
	runs[3] = run_down(picture, x, &down, 1, false, dark, most);
	runs[4] = run_down(picture, x, &down, 1, true, dark, most);
	runs[2] = above + below;
	*middle = (double)y + 1 + below - runs[2] / 2.0;
	return is_pattern(runs, &unit) && unit < module * 2 && module < unit * 2;
}

static size_t note(struct finder *finders, size_t count, double x, double y, double module)
{
	for (size_t i = 0; i < count; i++) {
		struct finder *f = &finders[i];
		if (fabs(f->x - x) <= module * 2 && fabs(f->y - y) <= module * 2) {
			f->x = (f->x * f->rows + x) / (f->rows + 1);
			f->y = (f->y * f->rows + y) / (f->rows + 1);
			f->module = (f->module * f->rows + module) / (f->rows + 1);
			f->rows++;
			return count;
		}
	}
	if (count < FINDERS_MAX)
		finders[count++] = (struct finder){ .x = x, .y = y, .module = module, .rows = 1 };
	return count;
}

size_t finders_find(const struct picture *picture, uint8_t dark, struct finder *out)
{
	size_t count = 0;

	for (uint32_t y = 0; y < picture->height; y++) {
		const uint8_t *row = picture->planes[PICTURE_GREY] + (size_t)y * picture->width;
		uint32_t       runs[5] = { 0 };
		bool           in_dark = false;
		for (uint32_t x = 0; x <= picture->width; x++) {
			const bool is_dark = x < picture->width && row[x] == dark;
			if (is_dark == in_dark && x < picture->width) {
				runs[4]++;
				continue;
			}
			double module, middle;
			if (in_dark && is_pattern(runs, &module)) {
				const uint32_t at = x - runs[4] - runs[3] - (runs[2] + 1) / 2;
				if (is_crossed(picture, dark, at, y, module, &middle))
					count = note(out, count, x - runs[4] - runs[3] - runs[2] / 2.0, middle, module);
			}
			for (size_t i = 0; i < 4; i++)
				runs[i] = runs[i + 1];
			runs[4] = 1;
			in_dark = is_dark;
		}
	}
	return count;
}
