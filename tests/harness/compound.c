/* Writing compound files: header, streams, mini stream, directory, allocation table. */
#include "harness/compound.h"

#include "base/cursor.h"
#include "base/must.h"

#define SECTOR  512u
#define ENTRIES 64u
#define END     0xfffffffeu
#define FREE    0xffffffffu

struct node {
	char         name[32];
	unsigned     type; /* 1, 2, 5 */
	uint32_t     parent;
	uint32_t     first;
	struct slice bytes;
};

struct tree {
	struct node nodes[ENTRIES];
	uint32_t    count;
};

static uint32_t node_of(struct tree *tree, uint32_t parent, struct slice name, unsigned type)
{
	for (uint32_t i = 1; i < tree->count; i++)
		if (tree->nodes[i].parent == parent && slice_eq(slice_str(tree->nodes[i].name), name))
			return i;
	must(tree->count < ENTRIES && name.len < 32);
	struct node *node = &tree->nodes[tree->count];
	memset(node, 0, sizeof *node);
	memcpy(node->name, name.ptr, name.len);
	node->type = type;
	node->parent = parent;
	return tree->count++;
}

static void plant(struct tree *tree, const struct compound_stream *streams, size_t count)
{
	memset(tree, 0, sizeof *tree);
	memcpy(tree->nodes[0].name, "Root Entry", 10);
	tree->nodes[0].type = 5;
	tree->nodes[0].parent = FREE;
	tree->count = 1;
	for (size_t i = 0; i < count; i++) {
		struct slice rest = slice_str(streams[i].path);
		uint32_t     at = 0;
		while (slice_find(rest, '/') < rest.len)
			at = node_of(tree, at, slice_until(&rest, '/'), 1);
		if (rest.len != 0)
			tree->nodes[node_of(tree, at, rest, 2)].bytes = streams[i].bytes;
	}
}

/* Bytes into whole sectors, chained; returns the first. */
static uint32_t chain_put(struct buf *body, uint32_t *fat, struct slice bytes)
{
	const uint32_t first = (uint32_t)(body->len / SECTOR);
	const uint32_t count = (uint32_t)((bytes.len + SECTOR - 1) / SECTOR);

	if (count == 0)
		return END;
	buf_put(body, bytes);
	while (body->len % SECTOR != 0)
		buf_put_byte(body, 0);
	for (uint32_t i = 0; i < count; i++)
		fat[first + i] = i + 1 == count ? END : first + i + 1;
	return first;
}

static void entry_put(const struct tree *tree, uint32_t index, struct buf *out)
{
	const struct node *node = &tree->nodes[index];
	const size_t       size = strlen(node->name);
	uint32_t           child = FREE, next = FREE;

	/* Siblings as a list to the right: lawful enough for every reader. */
	for (uint32_t i = tree->count; i > 1; i--) {
		if (tree->nodes[i - 1].parent == index)
			child = i - 1;
		if (i - 1 > index && index != 0 && tree->nodes[i - 1].parent == node->parent)
			next = i - 1;
	}
	for (size_t i = 0; i < 32; i++)
		cursor_put_u16(out, i < size ? (uint8_t)node->name[i] : 0);
	cursor_put_u16(out, (uint16_t)(size * 2 + 2));
	cursor_put_u8(out, (uint8_t)node->type);
	cursor_put_u8(out, 1);
	cursor_put_u32(out, FREE);
	cursor_put_u32(out, next);
	cursor_put_u32(out, child);
	for (size_t i = 0; i < 36; i++)
		cursor_put_u8(out, 0);
	cursor_put_u32(out, node->first);
	cursor_put_u64(out, node->bytes.len);
}

static void header_put(struct buf *out, uint32_t fat, uint32_t fat_count, uint32_t directory, uint32_t mini,
                       uint32_t mini_count)
{
	static const uint8_t start[] = { 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1 };

	buf_put(out, slice_of(start, sizeof start));
	for (size_t i = 0; i < 16; i++)
		cursor_put_u8(out, 0);
	cursor_put_u16(out, 0x3e);
	cursor_put_u16(out, 3);
	cursor_put_u16(out, 0xfffe);
	cursor_put_u16(out, 9);
	cursor_put_u16(out, 6);
	for (size_t i = 0; i < 10; i++)
		cursor_put_u8(out, 0);
	cursor_put_u32(out, fat_count);
	cursor_put_u32(out, directory);
	cursor_put_u32(out, 0);
	cursor_put_u32(out, 4096);
	cursor_put_u32(out, mini);
	cursor_put_u32(out, mini_count);
	cursor_put_u32(out, END);
	cursor_put_u32(out, 0);
	for (uint32_t i = 0; i < 109; i++)
		cursor_put_u32(out, i < fat_count ? fat + i : FREE);
}

void compound_make(const struct compound_stream *streams, size_t count, struct buf *out)
{
	static struct tree tree;
	static uint32_t    fat[8192], mini_fat[8192];
	struct buf         body = buf_make(4u << 20), mini = buf_make(4u << 20), piece = buf_make(4u << 20);

	plant(&tree, streams, count);
	memset(fat, 0xff, sizeof fat);
	for (uint32_t i = 1; i < tree.count; i++) {
		struct node *node = &tree.nodes[i];
		if (node->type == 2 && node->bytes.len >= 4096) {
			node->first = chain_put(&body, fat, node->bytes);
			continue;
		}
		const uint32_t first = (uint32_t)(mini.len / 64);
		buf_put(&mini, node->bytes);
		while (mini.len % 64 != 0)
			buf_put_byte(&mini, 0);
		for (uint32_t at = first; at < mini.len / 64; at++)
			mini_fat[at] = at + 1 == mini.len / 64 ? END : at + 1;
		node->first = node->bytes.len == 0 ? END : first;
	}
	tree.nodes[0].first = chain_put(&body, fat, buf_slice(&mini));
	tree.nodes[0].bytes = buf_slice(&mini);
	for (uint32_t i = 0; i < mini.len / 64; i++)
		cursor_put_u32(&piece, mini_fat[i]);
	const uint32_t mini_first = chain_put(&body, fat, buf_slice(&piece));
	const uint32_t mini_count = (uint32_t)((piece.len + SECTOR - 1) / SECTOR);
	buf_clear(&piece);
	for (uint32_t i = 0; i < tree.count; i++)
		entry_put(&tree, i, &piece);
	while (piece.len % SECTOR != 0)
		buf_put_byte(&piece, 0);
	const uint32_t directory = chain_put(&body, fat, buf_slice(&piece));
	const uint32_t used = (uint32_t)(body.len / SECTOR);
	uint32_t       fat_count = 1;
	while ((used + fat_count + 127) / 128 > fat_count)
		fat_count++;
	must((size_t)fat_count * 128 <= sizeof fat / sizeof fat[0]);
	for (uint32_t i = 0; i < fat_count; i++)
		fat[used + i] = 0xfffffffdu;
	for (uint32_t i = 0; i < fat_count * 128; i++)
		cursor_put_u32(&body, fat[i]);
	header_put(out, used, fat_count, directory, mini_first, mini_count);
	buf_put(out, buf_slice(&body));
	must(!out->failed && !body.failed && !mini.failed && !piece.failed);
	buf_done(&body);
	buf_done(&mini);
	buf_done(&piece);
}
