// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tapctl needs of the kernel and of the one who runs it, and the log of libbpf and libxdp:
 * kept instead of printed, so that an error can quote its cause.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "user/kernel.h"
#include "user/tapctl.h"

#define OPEN_FILES 128 /* a load has some 60 open at once */

/*
 * The verifier says why in the last line of its log before the statistics, and libbpf in its first
 * warning; what libbpf adds on its way out only repeats it.
 */
static char verifier_cause[256], first_warning[256];

static void keep(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%.*s", (int)strcspn(from, "\n"), from);
}

static bool is_statistics(const char *text)
{
	return !strncmp(text, "processed ", 10) || !strncmp(text, "-- END", 6) ||
	       !strncmp(text, "verification time", 17) || !strncmp(text, "stack depth", 11);
}

/* Finds the verifier's last word in a warning that carries its whole log. */
static void keep_verifier_cause(char *text)
{
	char *rest = NULL;

	for (char *at = strtok_r(text, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest))
		if (*at && !is_statistics(at))
			keep(verifier_cause, sizeof(verifier_cause), at);
}

static int log_message(int level, const char *format, va_list args)
{
	va_list again;
	char *text;

	va_copy(again, args);
	if (vasprintf(&text, format, again) < 0)
		text = NULL;
	va_end(again);
	if (!text)
		return 0;
	if (getenv("TAPCTL_DEBUG"))
		fputs(text, stderr);
	if (level == LIBBPF_WARN && strstr(text, "BEGIN PROG LOAD LOG"))
		keep_verifier_cause(text);
	else if (level == LIBBPF_WARN && !first_warning[0])
		keep(first_warning, sizeof(first_warning), text);
	free(text);
	return 0;
}

static int libbpf_log(enum libbpf_print_level level, const char *format, va_list args)
{
	return log_message(level, format, args);
}

static int libxdp_log(enum libxdp_print_level level, const char *format, va_list args)
{
	return log_message((int)level, format, args);
}

void kernel_log_start(void)
{
	libbpf_set_print(libbpf_log);
	libxdp_set_print(libxdp_log);
}

const char *kernel_log_cause(void)
{
	return verifier_cause[0] ? verifier_cause : first_warning;
}

bool kernel_log_misjudged(void)
{
	return !verifier_cause[0] && strstr(first_warning, "wasn't created");
}

int kernel_check_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	bool admin, bpf, net;

	if (syscall(SYS_capget, &header, data))
		return fail(errno, "cannot read my own capabilities: %s", cause(errno));
	admin = data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
	bpf = data[CAP_TO_INDEX(CAP_BPF)].effective & CAP_TO_MASK(CAP_BPF);
	net = data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
	if ((bpf || admin) && net)
		return 0;
	return fail(EPERM,
		    "missing capability: this needs CAP_BPF%s and CAP_NET_ADMIN%s; run it as root",
		    bpf || admin ? " (there)" : "", net ? " (there)" : "");
}

/*
 * libbpf tries what the kernel can do, and takes any failure for a "cannot", EMFILE as well: what
 * comes of that is told by nobody. So there have to be enough descriptors from the start.
 */
static int check_open_files(void)
{
	struct rlimit limit, more = { OPEN_FILES, OPEN_FILES };

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= OPEN_FILES)
		return 0;
	if (more.rlim_max < limit.rlim_max)
		more.rlim_max = limit.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &more))
		return 0;
	return fail(EMFILE, "%s: a load needs %d, and the limit is %llu", cause(EMFILE), OPEN_FILES,
		    (unsigned long long)limit.rlim_cur);
}

int kernel_check(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct utsname name = { 0 };
	int err;

	err = kernel_check_privileges();
	if (!err)
		err = check_open_files();
	if (err)
		return err;
	/* Kernels before 5.11 count maps against this limit; failing to raise it is told later. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_tai_ns, NULL) == 1)
		return 0;
	uname(&name);
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) == 1)
		return fail(ENOTSUP,
			    "this kernel (%s) is too old: it has no bpf_ktime_get_tai_ns, which "
			    "came with Linux 6.1; boot a newer kernel",
			    name.release);
	return fail(ENOTSUP,
		    "this kernel (%s) loads no BPF programs for us: it lacks CONFIG_BPF_SYSCALL, "
		    "or a container or lockdown forbids it; run on the host, with Linux 6.1 or "
		    "later",
		    name.release);
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

struct kernel_functions kernel_functions(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct btf *module = kernel ? btf__load_module_btf("nf_conntrack", kernel) : NULL;
	struct kernel_functions has = {
		.conntrack = has_function(kernel, "bpf_xdp_ct_lookup") ||
			     has_function(module, "bpf_xdp_ct_lookup"),
		.pull = has_function(kernel, "bpf_xdp_pull_data"),
	};

	btf__free(module);
	btf__free(kernel);
	return has;
}
