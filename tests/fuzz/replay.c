/*
 * Runs a fuzz target over stored inputs instead of under libFuzzer: every file of the folder given, and every prefix of the
 * smaller ones. This is how each past finding stays a test in builds without clang.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIXES_BELOW 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(int folder, const char *name, unsigned *count)
{
	struct stat about;
	const int   file = openat(folder, name, O_RDONLY | O_CLOEXEC);

	if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
		fprintf(stderr, "cannot read an input\n");
		exit(1);
	}
	/* A buffer of exactly the input's size lets the address sanitizer see a read behind its end. */
	const size_t size = (size_t)about.st_size;
	uint8_t     *data = malloc(size + 1);
	if (data == NULL || read(file, data, size) != (ssize_t)size)
		exit(1);
	(void)close(file);
	for (size_t part = size < PREFIXES_BELOW ? 0 : size; part <= size; part++) {
		uint8_t *exact = malloc(part == 0 ? 1 : part);
		if (exact == NULL)
			exit(1);
		for (size_t i = 0; i < part; i++)
			exact[i] = data[i];
		(void)LLVMFuzzerTestOneInput(exact, part);
		free(exact);
		++*count;
	}
	free(data);
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	DIR     *folder = argc == 2 ? opendir(argv[1]) : NULL;

	if (folder == NULL) {
		fprintf(stderr, "usage: replay FOLDER (which must exist)\n");
		return 1;
	}
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		if (entry->d_name[0] != '.')
			run_file(dirfd(folder), entry->d_name, &count);
	}
	(void)closedir(folder);
	printf("%u inputs\n", count);
	return count == 0;
}
