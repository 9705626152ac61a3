# SPDX-License-Identifier: GPL-2.0-only
"""
Figure 9 of the paper: attackers without a key open real connections and ask for a page, so many a
second; how many requests a second the client gets through meanwhile, with TAP and without. Each time
it is compared with no attack right before, and with attackers as busy whose target is elsewhere: they
are on this machine, whose processors are not as independent of each other as two machines.
"""
import contextlib
import json
import statistics
import time

import lab
import result

TITLE = "GET flood without a key"
RATES = (200, 1000, 5000, 10000, 20000)  # connections a second; nginx cannot answer the last
PARALLEL = 10
ROUNDS, SECONDS = 24, 0.2  # a machine that is not ours alone is better asked often than long
LEAD_S = 0.1  # the flood is there before anyone looks
AIM = 0.95
NOWHERE = "198.51.100.1"
STATES = {"calm": None, "elsewhere": NOWHERE, "attack": lab.ATTACKED}


def _requests(seconds):
	"""The client's requests a second."""
	return lab.fetch("--seconds", str(seconds), "--parallel", str(PARALLEL), "--give-up", "1")["per_second"]


def _under_attack(rate, seconds, target):
	"""The client's requests a second, and what the attackers say."""
	with lab.spawn("attacker", f"{lab.BUILD}/bench/getflood", "--rate", str(rate), "--seconds",
		       str(seconds + 2 * LEAD_S), target, str(lab.PORT), cpu=lab.FLOOD_CPU, fifo=True) as flood:
		time.sleep(LEAD_S)
		requests = _requests(seconds)
		return requests, json.loads(flood.communicate(timeout=600)[0])


def _measure(rate, seconds, number):
	"""What the round of that number finds: each begins with another state, since one may mark the next."""
	found, attackers = {}, {}
	for state in result.by_turns(STATES, number):
		target = STATES[state]
		if target:
			found[state], attackers[state] = _under_attack(rate, seconds, target)
		else:
			found[state] = _requests(seconds)
	attack = attackers["attack"]
	return {**found, "attempts": attack["attempts_per_second"], "answered": attack["answered_per_second"],
		"of calm": found["attack"] / found["calm"], "of elsewhere": found["attack"] / found["elsewhere"]}


@contextlib.contextmanager
def _attackers():
	"""Ports for more connections than one machine makes by default, and a place where nobody is."""
	name = "net.ipv4.ip_local_port_range"
	old = lab.run("attacker", "sysctl", "-n", name).strip()
	lab.run("attacker", "sysctl", "-qw", f"{name}=1024 65535")
	lab.run("attacker", "ip", "link", "add", "void", "type", "veth", "peer", "name", "void-end")
	try:
		lab.run("attacker", "ip", "link", "set", "void", "up")
		lab.run("attacker", "ip", "link", "set", "void-end", "up")
		lab.run("attacker", "ip", "route", "add", NOWHERE, "dev", "void", "src", lab.ATTACKER)
		lab.run("attacker", "ip", "neigh", "add", NOWHERE, "lladdr", "02:00:00:00:00:01", "dev", "void")
		yield
	finally:
		lab.run("attacker", "ip", "link", "del", "void")
		lab.run("attacker", "sysctl", "-qw", f"{name}={old}")


def _rounds(bench, rates):
	"""{"TAP" or "unprotected": {rate: [measurement, ...]}}"""
	rounds, seconds = (1, 0.2) if bench.quick else (ROUNDS, SECONDS)
	found = {"TAP": {r: [] for r in rates}, "unprotected": {r: [] for r in rates}}
	with _attackers():
		for number in range(rounds):
			bench.progress(f"round {number + 1} of {rounds}")
			with lab.protected():
				lab.let_in()
				for rate in rates:
					found["TAP"][rate].append(_measure(rate, seconds, number))
			for rate in rates:
				found["unprotected"][rate].append(_measure(rate, seconds, number))
			lab.forget()
	return found


def _values(measurements, what):
	return [m[what] for m in measurements]


def _median(measurements, what):
	return statistics.median(_values(measurements, what))


def _table(found, rates):
	rows = [[rate, side, result.spread(_values(by_rate[rate], "of calm")),
		 result.spread(_values(by_rate[rate], "of elsewhere")),
		 *(_median(by_rate[rate], what) for what in ("attack", "calm", "elsewhere", "attempts", "answered"))]
		for rate in rates for side, by_rate in found.items()]
	return result.Table(
		"Requests a second of the client who has a key: as a share of those without an attack, and with "
		"attackers as busy elsewhere, median (least..most); then how many",
		["attack, connections/s", "", "of no attack", "of one elsewhere", "attack", "no attack", "elsewhere",
		 "attempted/s", "answered/s"], rows)


def _chart(found):
	def points(side, state):
		shares = {rate: [m[state] / m["calm"] for m in by_round] for rate, by_round in found[side].items()}
		return [(0, 100), *((rate, 100 * statistics.median(values)) for rate, values in shares.items())]

	return result.Chart("fig9", "GET flood without a key", "attackers' connections a second",
			    "client's requests/s, % of no attack",
			    {"TAP": points("TAP", "attack"), "elsewhere": points("TAP", "elsewhere"),
			     "unprotected": points("unprotected", "attack")})


def _worst(found, what):
	return min(_median(m, what) for m in found["TAP"].values())


def run(bench):
	rates = RATES[1::3] if bench.quick else RATES
	with lab.off_flood():
		found = _rounds(bench, rates)
	return result.Result(
		tables=[_table(found, rates)],
		aims=[result.Aim("requests/s of who has a key, attack : no attack, at the worst rate",
				 _worst(found, "of calm"), AIM),
		      result.Aim("the same, attack : attackers as busy elsewhere", _worst(found, "of elsewhere"), AIM)],
		charts=[_chart(found)],
		notes=[f"The client keeps {PARALLEL} requests going, each over a connection of its own, from CPU 1, "
		       "where nginx is as well; the page has 3 KB.",
		       "The attackers connect from CPU 0, with at most 16,000 connections open, and give each up "
		       "after 0.4 s. Behind TAP none is ever answered.",
		       "The processing of what they send is done on CPU 0, too; of what nginx answers them, on "
		       "CPU 1, as with any veth pair.",
		       "Two processors of one machine share caches, clock and perhaps a core: whatever CPU 0 does "
		       "costs CPU 1 something. So the attackers also connect, at the same rate, to where nobody is, "
		       "and none of it reaches the server: what is lost then is no attack's doing (\"elsewhere\")."],
		data={side: {str(rate): m for rate, m in by_rate.items()} for side, by_rate in found.items()})
