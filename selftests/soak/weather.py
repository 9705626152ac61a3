# SPDX-License-Identifier: GPL-2.0-only
"""What happens to the network itself: links go down and come back, MTUs change, devices are made
anew. Addresses and routes that went with them are put back."""
import json
import random

import lab

# Who depends on a device, and the device at its other end.
LINKS = {
    ("server", "eth0"): (("teleworker", "colleague", "lodger"), ("router", "wan")),
    ("server", "eth1"): (("attacker",), ("attacker", "eth0")),
    ("server", "eth2"): (("roamer",), ("isp", "wan")),
    ("teleworker", "eth0"): (("teleworker",), ("router", "lan")),
    ("colleague", "eth0"): (("colleague",), ("router", "lan2")),
    ("roamer", "eth0"): (("roamer",), ("isp", "eth0")),
}
MTUS = (1280, 1400, 1500, 1500, 2000, 3000)


class Weather:
    def __init__(self, model, report, crowd, seed):
        self.model, self.report, self.crowd = model, report, crowd
        self.random = random.Random(f"{seed} weather")
        self.lossy = False  # whether anything may have been lost on the way in this round
        self.addresses, self.routes = {}, {}
        for name in {end[0] for near, (_, far) in LINKS.items() for end in (near, far)}:
            self.remember(name)

    def remember(self, name):
        self.addresses[name] = [
            (device["ifname"], f"{a['local']}/{a['prefixlen']}")
            for device in json.loads(lab.run(name, "ip", "-j", "addr"))
            for a in device["addr_info"] if a["scope"] == "global"]
        self.routes[name] = [
            (family, line.split()) for family in ("-4", "-6")
            for line in lab.run(name, "ip", family, "route").splitlines() if " via " in line]

    def mend(self, name):
        """Puts back the addresses and routes that are missing."""
        for device, address in self.addresses[name]:
            dad = ["nodad"] if ":" in address else []
            lab.run(name, "ip", "addr", "replace", address, "dev", device, *dad)
        for family, words in self.routes[name]:
            words = [w for w in words if w not in ("linkdown", "dead")]
            lab.run(name, "ip", family, "route", "replace", *words)

    def live(self):
        while True:
            self.report.stop.wait(self.random.uniform(1, 6))
            with self.crowd:
                self.random.choice((self.flap, self.mtu))()

    def flap(self):
        (name, device), (names, _) = self.random.choice(list(LINKS.items()))
        self.report.note(f"link down: {name} {device}")
        self.lossy = True
        self.model.trouble(names, True)
        lab.run(name, "ip", "link", "set", device, "down")
        self.report.stop.wait(self.random.uniform(0.05, 1.5))
        lab.run(name, "ip", "link", "set", device, "up")
        self.mend(name)
        self.model.trouble(names, False)
        self.report.count("links down")

    def mtu(self):
        near, (names, far) = self.random.choice(list(LINKS.items()))
        mtu = str(self.random.choice(MTUS))
        self.report.note(f"MTU {mtu}: {near} {far}")
        self.lossy = True
        self.model.trouble(names, True)
        for name, device in (near, far):
            lab.run(name, "ip", "link", "set", device, "mtu", mtu)
        self.model.trouble(names, False)
        self.report.count("MTUs")

    def new_device(self, near, before_up):
        """Takes a link away and makes it anew; before_up: what to do before it comes up."""
        names, far = LINKS[near]
        self.report.note(f"made anew: {near} {far}")
        self.lossy = True
        self.model.trouble(names, True)
        lab.run(near[0], "ip", "link", "del", near[1])
        lab.run(near[0], "ip", "link", "add", "name", near[1], "numtxqueues", "1", "numrxqueues", "1",
                "type", "veth", "peer", "name", far[1], "netns", f"{lab.PREFIX}-{far[0]}",
                "numtxqueues", "1", "numrxqueues", "1")
        before_up()
        for name, device in (far, near):
            lab.run(name, "ethtool", "-K", device, "gro", "on")
            lab.run(name, "ip", "link", "set", device, "up")
        for name, _ in (far, near):
            self.mend(name)
        self.model.trouble(names, False)
        self.report.count("devices made anew")
