// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF maps on the host, as far as the programs use them: arrays, one array of maps, and hash maps
 * that forget nothing. See host.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "selftests/fuzz/fuzz.h"
#include "selftests/fuzz/host.h"

#define MAPS_MAX 32
#define TOUCHED_MAX 256 /* more than that, and the whole map is cleared */
#define HASH_ENTRIES_MAX 4096

struct map {
	const void *map;
	const char *name;
	unsigned int type, entries;
	size_t key_size, value_size;
	uint8_t *values;
	uint8_t *keys; /* hash maps only */
	unsigned int used; /* entries of a hash map */
	uint32_t touched[TOUCHED_MAX]; /* of an array */
	unsigned int n_touched;
	void *inner; /* array of maps: the only value of its only map */
};

static struct map maps[MAPS_MAX];
static unsigned int n_maps;

static struct map *find(const void *map)
{
	unsigned int i;

	for (i = 0; i < n_maps; i++)
		if (maps[i].map == map)
			return &maps[i];
	return NULL;
}

static struct map *need(const void *map)
{
	struct map *found = find(map);

	MUST(found, "no such map");
	return found;
}

static bool is_hash(const struct map *m)
{
	return m->type == BPF_MAP_TYPE_HASH || m->type == BPF_MAP_TYPE_LRU_HASH;
}

void host_map(const void *map, const char *name, unsigned int type, size_t key_size,
	      size_t value_size, unsigned int entries)
{
	struct map *m = &maps[n_maps++];

	MUST(n_maps <= MAPS_MAX, "%s is one map too many", name);
	*m = (struct map){ .map = map, .name = name, .type = type, .entries = entries,
			    .key_size = key_size, .value_size = value_size };
	if (is_hash(m) && m->entries > HASH_ENTRIES_MAX)
		m->entries = HASH_ENTRIES_MAX;
	m->values = calloc(m->entries, value_size ?: 1);
	m->keys = is_hash(m) ? calloc(m->entries, key_size) : NULL;
	MUST(m->values && (m->keys || !is_hash(m)), "no memory for %s", name);
}

void host_map_resize(const void *map, unsigned int entries)
{
	struct map *m = need(map);

	MUST(entries <= HASH_ENTRIES_MAX && is_hash(m), "%s", m->name);
	m->entries = entries;
}

static void touch(struct map *m, uint32_t index)
{
	unsigned int i;

	for (i = 0; i < m->n_touched && i < TOUCHED_MAX; i++)
		if (m->touched[i] == index)
			return;
	if (m->n_touched < TOUCHED_MAX)
		m->touched[m->n_touched] = index;
	if (m->n_touched <= TOUCHED_MAX)
		m->n_touched++;
}

void *host_map_at(const void *map, uint32_t index)
{
	struct map *m = need(map);

	if (index >= m->entries)
		return NULL;
	touch(m, index);
	return m->values + index * m->value_size;
}

void host_map_set_inner(const void *map, void *value)
{
	need(map)->inner = value;
}

void host_map_clear(const void *map)
{
	struct map *m = need(map);
	unsigned int i;

	if (m->n_touched > TOUCHED_MAX)
		memset(m->values, 0, m->entries * m->value_size);
	else
		for (i = 0; i < m->n_touched; i++)
			memset(m->values + m->touched[i] * m->value_size, 0, m->value_size);
	m->n_touched = 0;
	m->used = 0;
}

void host_map_touched(const void *map, void (*visit)(void *context, uint32_t index), void *context)
{
	struct map *m = need(map);
	unsigned int i;

	if (m->n_touched > TOUCHED_MAX)
		for (i = 0; i < m->entries; i++)
			visit(context, i);
	else
		for (i = 0; i < m->n_touched; i++)
			visit(context, m->touched[i]);
}

void host_map_entries(const void *map, void (*visit)(void *context, const void *key),
		      void *context)
{
	struct map *m = need(map);
	unsigned int i;

	for (i = 0; i < m->used; i++)
		visit(context, m->keys + i * m->key_size);
}

static void *hash_find(const struct map *m, const void *key)
{
	unsigned int i;

	for (i = 0; i < m->used; i++)
		if (!memcmp(m->keys + i * m->key_size, key, m->key_size))
			return m->values + i * m->value_size;
	return NULL;
}

void *host_map_lookup(const void *map, const void *key)
{
	struct map *m = find(map);
	uint32_t index;

	if (host_fails())
		return NULL;
	memcpy(&index, key, sizeof(index));
	if (!m) /* an inner map, which is its only value */
		return index ? NULL : (void *)map;
	if (is_hash(m))
		return hash_find(m, key);
	if (index >= m->entries)
		return NULL;
	if (m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		return m->inner;
	touch(m, index);
	return m->values + index * m->value_size;
}

/* Of an LRU map that is full, the oldest entry goes. */
static long hash_update(struct map *m, const void *key, const void *value, uint64_t flags)
{
	uint8_t *there = hash_find(m, key);

	if (there && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!there && flags == BPF_EXIST)
		return -ENOENT;
	if (there) {
		memcpy(there, value, m->value_size);
		return 0;
	}
	if (m->used == m->entries) {
		if (m->type != BPF_MAP_TYPE_LRU_HASH)
			return -E2BIG;
		m->used--;
		memmove(m->keys, m->keys + m->key_size, m->used * m->key_size);
		memmove(m->values, m->values + m->value_size, m->used * m->value_size);
	}
	memcpy(m->keys + m->used * m->key_size, key, m->key_size);
	memcpy(m->values + m->used * m->value_size, value, m->value_size);
	m->used++;
	return 0;
}

long host_map_update(const void *map, const void *key, const void *value, uint64_t flags)
{
	struct map *m = need(map);
	uint32_t index;

	if (host_fails())
		return -ENOMEM;
	if (is_hash(m))
		return hash_update(m, key, value, flags);
	memcpy(&index, key, sizeof(index));
	if (index >= m->entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	touch(m, index);
	memcpy(m->values + index * m->value_size, value, m->value_size);
	return 0;
}
