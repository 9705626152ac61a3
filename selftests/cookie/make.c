// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes good SYN cookies; see make.h.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "selftests/common/check.h"
#include "selftests/cookie/make.h"
#include "cookie.skel.h"

void cookie_make(struct packet *packet)
{
	static struct cookie_bpf *bpf;
	uint8_t frame[PACKET_BYTES];
	struct packet syn = *packet;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .repeat = 1);

	if (!bpf)
		bpf = cookie_bpf__open_and_load();
	if (!bpf)
		give_up("the program that makes cookies does not load: %s", strerror(errno));
	syn.seq--;
	syn.ack = 0;
	syn.flags = SYN;
	syn.tcp_options_length = syn.ip_options_length = syn.extensions_length = 0;
	syn.vlan[0] = 0;
	syn.payload = NULL;
	opts.data_size_in = packet_build(&syn, frame);
	if (bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.make_cookie), &opts) ||
	    opts.retval != XDP_PASS || bpf->bss->cookie < 0)
		give_up("no cookie: %s", strerror(errno));
	packet->ack = (uint32_t)bpf->bss->cookie + 1;
	packet->flags = ACK;
}
