# SPDX-License-Identifier: GPL-2.0-only
"""What can be told without measuring: chances to connect, and what a group's bucket survives."""
import math
import random

BUCKETS = 4096  # TAP_PENDING_BUCKETS
SLOTS = 7  # TAP_BUCKET_SLOTS
RESEND_LIMIT = 0.5  # seconds: the server answers copies of a SYN no more often (tcp_invalid_ratelimit)
TRIALS = 4000


def wilson(successes, n, z=1.96):
	"""The 95 % confidence interval of a share."""
	share = successes / n
	middle = share + z * z / (2 * n)
	half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
	return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def group_chance(loss, twice=None):
	"""That a whole group gets through: four of four SYNs, of which the last or all are sent twice."""
	once, either = 1 - loss, 1 - loss ** 2
	return {None: once ** 4, "last": once ** 3 * either, "all": either ** 4}[twice]


def connect_chance(arrives, loss, syns, limit):
	"""
	The chance to connect in less than `limit` seconds. The client sends at the times `syns`, and each
	gets through to the server's TCP with the chance `arrives`. That answers each, but copies no more
	often than RESEND_LIMIT; and by itself again 1, 3, 7 ... s after it answered last. An answer is
	lost with the chance `loss`.
	"""
	def answered(syn, now, doublings, copied):
		return 1 - loss + loss * go_on(syn, now + 2 ** doublings, doublings, copied)

	def go_on(syn, timer, doublings, copied):
		at = syns[syn] if syn < len(syns) else math.inf
		if min(at, timer) >= limit:
			return 0
		if timer < at:
			return answered(syn, timer, doublings + 1, copied)
		missed = go_on(syn + 1, timer, doublings, copied)
		if timer == math.inf:
			heard = answered(syn + 1, at, 0, copied)
		elif at - copied < RESEND_LIMIT:
			heard = missed
		else:
			heard = answered(syn + 1, at, doublings, at)
		return arrives * heard + (1 - arrives) * missed

	return go_on(0, math.inf, 0, -math.inf)


def _survives(own, strangers):
	"""Whether all that came at the times `own` are in the bucket together at the last of them."""
	slots, cursor = [None] * SLOTS, 0
	events = sorted([(at, True) for at in own] + [(at, False) for at in strangers if at < max(own)])
	for _, is_own in events:
		while is_own and slots[cursor]:
			cursor = (cursor + 1) % SLOTS
		slots[cursor] = is_own
		cursor = (cursor + 1) % SLOTS
	return slots.count(True) == len(own)


def survival(rate, gap, jitter):
	"""
	The share of groups that are complete in the end, tried at random, while `rate` segments a second
	of others are stored: the group's four come `gap` s apart, each late by up to `jitter` s.
	"""
	chance = random.Random(1)
	whole = 0
	for _ in range(TRIALS):
		own = sorted(i * gap + chance.random() * jitter for i in range(4))
		strangers, at = [], own[0]
		while rate and at < own[-1]:
			at += chance.expovariate(rate / BUCKETS)
			strangers.append(at)
		whole += _survives(own, strangers)
	return whole / TRIALS
