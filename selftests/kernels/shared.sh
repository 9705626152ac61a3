#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The gate through libxdp's dispatcher (--shared), which not every kernel takes: this one does.
#
#  +------ client ------+         +---- server ----+
#  |  10.9.0.2     eth0 |---------| eth0  10.9.0.1 |  nginx: 80
#  +--------------------+         +----------------+
. "$(dirname "$0")/../tap.sh"
lab_start
lab_ns client
lab_ns server
lab_link client eth0 server eth0
lab_addr client eth0 10.9.0.2/24
lab_addr server eth0 10.9.0.1/24
lab_nginx server
tap_keys

# The XDP program on the server's device, by its name.
attached() {
	local id

	id=$(lab_in server ip -j link show eth0 | lab_json 0.xdp.prog.id) &&
		bpftool -j prog show id "$id" | lab_json name
}

dispatcher_attached() {
	equal "attached" xdp_dispatcher "$(attached)"
}

page_or_counters() {
	page client "$1" && return
	echo "no page; the gate and the splitter counted:" $({
		tap server -j stats
		tap client -j stats
	} | grep -o '"[a-z_]*": *[1-9][0-9]*' | tr -d '"')
	return 1
}

check "the gate loads through the dispatcher" tap server server load -i eth0 --realm-key "$LAB/keys/realm" --shared
check "the dispatcher is on the device" dispatcher_attached
must tap server service add 80
must tap server key add 7 --user-key "$LAB/keys/a"
check "without a key nothing comes" no_page client http://10.9.0.1/
must tap client client load -i eth0
must tap client peer add office --realm-key "$LAB/keys/realm" --user-key "$LAB/keys/a" --key-id 7
must tap client rule add --peer office --port 80
check "with a key the page comes" page_or_counters http://10.9.0.1/
check "it unloads" tap server server unload
check "and leaves nothing on the device" not attached
check "the page comes to anybody" page client http://10.9.0.1/
done_testing
