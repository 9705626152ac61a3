# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make          build/tapctl, with the BPF programs inside it, and the man pages
# make tests    also what selftests/ needs
# make install  into $(DESTDIR)$(PREFIX)
# make clean
#
# V=1 shows the commands whole.

BPF_CLANG ?= clang-19
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

VERSION := 2.0
LIBRARIES := libbpf libxdp libsodium jansson smartcols libmnl

CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Werror=implicit-function-declaration -Wno-unused-parameter \
	-fstack-protector-strong
CPPFLAGS += -I. -Iinclude -Ibuild -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -DTAP_PROGRAM_VERSION='"$(VERSION)"' \
	$(shell $(PKG_CONFIG) --cflags $(LIBRARIES))
LDLIBS += $(shell $(PKG_CONFIG) --libs $(LIBRARIES))

# -mcpu=v3: 64-bit compare-and-swap. The multiarch folder holds <asm/types.h>.
MULTIARCH := $(shell gcc -print-multiarch)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -I. -Iinclude \
	-idirafter /usr/include/$(MULTIARCH)

USER_SOURCES := $(wildcard user/*.c)
USER_OBJECTS := $(USER_SOURCES:user/%.c=build/user/%.o)
SKELETONS := build/gate.skel.h build/splitter.skel.h
MAN_PAGES := $(patsubst docs/%.scd,build/man/%,$(wildcard docs/*.scd))

all: build/tapctl $(MAN_PAGES)

# What is made on the way stays. Without it the next make would make it anew, and all that stands on it.
.SECONDARY:

build/tapctl: $(USER_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

build/user/%.o: user/%.c $(SKELETONS) | build/user
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

build/bpf/%.bpf.o: bpf/%.bpf.c | build/bpf
	$(call say,CLANG,$@)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

build/%.skel.h: build/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@.tmp
	$(Q)mv $@.tmp $@

build/man/%: docs/%.scd | build/man
	$(call say,MAN,$@)
	$(Q)scdoc <$< >$@

build/user build/bpf build/man:
	$(Q)mkdir -p $@

install: all
	install -D -m 0755 build/tapctl $(DESTDIR)$(PREFIX)/sbin/tapctl
	for page in $(MAN_PAGES); do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done

clean:
	rm -rf build

-include $(wildcard build/user/*.d build/bpf/*.d)
-include selftests/Makefile.inc

.PHONY: all tests install clean
.DELETE_ON_ERROR:
