// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames below 4 GiB with red zones around them, the clock, randomness, sockets; see host.h.
 */
#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include "selftests/common/ref.h"
#include "selftests/fuzz/fuzz.h"
#include "selftests/fuzz/host.h"

#define RED_ZONE 4096
#define SLOT_BYTES (RED_ZONE + HOST_FRAME_BYTES + RED_ZONE)

size_t host_frame_bytes;
struct host_world host_world;
unsigned int host_fail_in;
uint64_t host_clock_ns;
uint64_t host_monotonic_ns = 1;
uint64_t host_seed;
bool (*host_has_socket)(const struct bpf_sock_tuple *tuple, uint32_t size);

static uint8_t *slots;

static uint8_t *start_of(unsigned int slot)
{
	MUST(slot < HOST_SKBS, "%u", slot);
	return slots + slot * SLOT_BYTES + RED_ZONE;
}

uint8_t *host_frame(unsigned int slot, const void *bytes, size_t length)
{
	uint8_t *start;

	if (!slots) {
		slots = mmap(NULL, HOST_SKBS * SLOT_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		MUST(slots != MAP_FAILED, "no memory below 4 GiB");
		ASAN_POISON_MEMORY_REGION(slots, HOST_SKBS * SLOT_BYTES);
	}
	start = start_of(slot);
	MUST(length <= HOST_FRAME_BYTES, "%zu", length);
	ASAN_UNPOISON_MEMORY_REGION(start, length);
	if (length)
		memcpy(start, bytes, length);
	host_frame_cut(slot, length);
	return start;
}

void host_frame_cut(unsigned int slot, size_t length)
{
	ASAN_POISON_MEMORY_REGION(start_of(slot) + length, HOST_FRAME_BYTES - length);
}

bool host_fails(void)
{
	return host_fail_in && !--host_fail_in;
}

uint64_t host_tai_ns(void)
{
	return host_clock_ns;
}

uint64_t host_coarse_ns(void)
{
	return host_monotonic_ns;
}

uint32_t host_random(void)
{
	return ref_random(&host_seed);
}

long host_xdp_adjust_tail(struct xdp_md *ctx, int delta)
{
	size_t first = ctx->data_end - ctx->data;

	if (host_fails() || delta > 0 || (int64_t)host_frame_bytes + delta < 14)
		return -EINVAL;
	host_frame_bytes += delta;
	if (first > host_frame_bytes)
		ctx->data_end = ctx->data + host_frame_bytes;
	host_frame_cut(0, ctx->data_end - ctx->data);
	return 0;
}

uint64_t host_xdp_length(struct xdp_md *ctx)
{
	return host_frame_bytes;
}

/* Of what is in the first buffer: nothing here has headers elsewhere. */
long host_xdp_load_bytes(struct xdp_md *ctx, uint32_t at, void *to, uint32_t length)
{
	size_t first = ctx->data_end - ctx->data;

	MUST(length, "nothing to load, which the kernel takes for an error");
	if (host_fails() || at > first || length > first - at)
		return -EINVAL;
	memcpy(to, (const uint8_t *)(uintptr_t)ctx->data + at, length);
	return 0;
}

int host_xdp_pull_data(struct xdp_md *ctx, __u32 bytes)
{
	return -1;
}

struct bpf_sock *host_skc_lookup_tcp(void *ctx, struct bpf_sock_tuple *tuple, uint32_t size,
				     uint64_t netns, uint64_t flags)
{
	static struct bpf_sock socket;

	MUST(size == sizeof(tuple->ipv4) || size == sizeof(tuple->ipv6), "%u", size);
	socket.state = host_world.state;
	return host_has_socket && host_has_socket(tuple, size) ? &socket : NULL;
}

long host_sk_release(void *sock)
{
	return 0;
}
