/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The replay rule and its counters. Mirrors tap_records_complete() (bpf/verify.h) and judge_replay()
 * (bpf/judge.h). Each access to what the CPUs share is one step; what a CPU does by itself until its
 * next one belongs to that step.
 *
 * One group comes again and again; others come once each. The map (tap_replay) keeps only the records
 * of the last KEPT insertions. Seconds 0 and 2 share a slot of tap_seconds, as two do that lie
 * TAP_SECONDS apart; they come in any order, because the clock may be set.
 *
 * The one group is never admitted twice. No group is refused as replay_window unless SIZE were
 * admitted since its second began, or at all where the slot belongs to a later second.
 */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef SIZE /* replay_size */
#define SIZE 2
#endif
/*
 * Records are made before they are counted. So when a CPU asks again, one group may be missing from
 * the count for each other CPU. One of these is made good by counting its own group as well; for the
 * others the map must keep a record more. The gate's keeps hundreds (TAP_REPLAY_SPARE_PER_CPU).
 */
#ifndef KEPT
#define KEPT (SIZE + CPUS - 2)
#endif
#ifndef GROUPS /* that arrive, the one or others */
#define GROUPS 6
#endif

#ifndef SECONDS /* 1: all groups are of second 0 */
#define SECONDS 3
#endif

#define NONE 255

byte second[2] = NONE, base[2]; /* tap_seconds: each pair is one word */
byte admissions; /* tap_gate_state.admissions */
byte age = NONE; /* of the one group's record: insertions since */
byte arrived, busy;
bool admitted; /* the one group was */

#define LATER(than) (than != NONE && than > sec)

/* The third cause: an earlier second took the slot just before this one could, so nothing is known. */
inline refuse(size)
{
	assert(was != sec || admissions - since >= size); /* refused with a cause */
	assert(!LATER(was) || admissions >= size); /* refused with a cause */
	goto judged
}

inline read_slot()
{
	was = second[at];
	since = base[at]
}

/* What follows from the slot and the counter as they were read. */
inline compare(size)
{
	if
	:: was == sec && (count - since & 255) < size
	:: LATER(was) && count < size
	:: else -> refuse(size)
	fi
}

/* tap_records_complete(); goes to judged if they may be incomplete. */
inline records_complete(size)
{
#ifdef BREAK_counter /* reads the counter before the slot */
	count = admissions;
	atomic {
		read_slot();
		if
		:: was == sec || LATER(was) -> compare(size)
		:: else
		fi
	};
#else
	atomic { read_slot() };
	atomic {
		count = admissions;
		if
#ifdef BREAK_later /* an earlier second takes the slot from a later one */
		:: was == sec -> compare(size)
#else
		:: was == sec || LATER(was) -> compare(size)
#endif
		:: else
		fi
	};
#endif
	if
#ifdef BREAK_later
	:: was == sec
#else
	:: was == sec || LATER(was)
#endif
	:: else ->
		atomic {
			if
			:: second[at] == was && base[at] == since ->
				second[at] = sec;
				base[at] = count;
				was = sec;
				since = count;
				first = true
			:: else -> read_slot()
			fi
		};
		atomic {
			if
			:: !first ->
#ifndef BREAK_other_first /* compares with the counter as it was */
				count = admissions;
#endif
				compare(size)
			:: else
			fi;
			first = false
		}
	fi;
	atomic { was = 0; since = 0; count = 0 }
}

proctype cpu(byte id)
{
	byte sec, at, was, since, count;
	bool one, first;

judged:
	atomic {
		sec = 0; at = 0; was = 0; since = 0; count = 0; one = false; first = false;
		busy = busy & ~(1 << id)
	};
	atomic {
		/* Idle CPUs are all alike, so the first of them may as well take the next group. */
		(busy & (1 << id) - 1) == (1 << id) - 1 || arrived == GROUPS;
		busy = busy | 1 << id;
		if
		:: arrived == GROUPS -> goto none_left
		:: arrived < GROUPS -> one = true
		:: arrived < GROUPS
		:: arrived < GROUPS && SECONDS > 1 -> sec = 1
		:: arrived < GROUPS && SECONDS > 1 -> sec = 2
		fi;
		arrived++;
		at = sec % 2
	};

	records_complete(SIZE);
	/* BPF_NOEXIST */
#ifdef BREAK_exist /* looks up, and then makes the record */
	if
	:: atomic { one && age != NONE -> goto judged } /* replay */
	:: else
	fi;
#endif
	atomic {
		if
#ifdef BREAK_exist
		:: one -> age = 0
#else
		:: one && age != NONE -> goto judged /* replay */
		:: one && age == NONE -> age = 0
#endif
		:: !one && age != NONE ->
			age++;
			if
			:: age == KEPT -> age = NONE
			:: else
			fi
		:: else
		fi
	};
	admissions++;
#ifndef BREAK_once /* does not ask again */
	records_complete(SIZE + 1);
#endif
	atomic {
		if
		:: one ->
			assert(!admitted); /* admitted once */
			admitted = true
		:: else
		fi;
		goto judged
	};

none_left:
	skip
}

init {
	byte n;

	atomic {
		do
		:: n < CPUS -> run cpu(n); n++
		:: else -> n = 0; break
		od
	}
}
