/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A key's rate, and the order of judging (docs/protocol.md). Mirrors judge_replay() (bpf/judge.h) and
 * tap_rate_used(), tap_rate_count() (bpf/verify.h): reads the key's count of this second, makes the
 * record, and counts only if there was none.
 *
 * One group of the key comes again and again, others once each, while the clock goes on; a CPU may be
 * held up for any time. Replays spend nothing: as much is counted as there are records. In no second
 * is more than one for each other CPU counted beyond the rate.
 */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef RATE
#define RATE 2
#endif
#ifndef GROUPS /* that arrive, the one or others */
#define GROUPS 6
#endif
#define SECONDS 3

byte second, used; /* the key's word: second 32 | admissions in that second 32 */
byte clock = 1, admissions;
byte arrived, busy, finished;
bool recorded; /* the one group is */

/* For the claims: records made, and what was counted in each second. */
byte records, spent[SECONDS + 1];

inline spend(in)
{
	spent[in]++;
	assert(spent[in] < RATE + CPUS) /* within the rate */
}

/*
 * tap_rate_count(): begins the second, if the word is of an earlier one, or adds to it. A CPU that was
 * held up adds to the later second of the others. (The C code gives up after a few tries, and adds;
 * each try that fails means that another CPU counted something. It also begins anew where the word is
 * more than a second ahead, as after the clock was set back: a CPU that was held up for that long
 * gives the key a new second.)
 */
#ifdef BREAK_straggler /* takes the word back to its own second */
#define OTHER(was) (was != now)
#else
#define OTHER(was) (was < now)
#endif

inline rate_count()
{
	atomic { was = second; count = used };
	do
	:: OTHER(was) ->
		atomic {
			if
			:: second == was && used == count ->
				second = now;
				used = 1;
				spend(now);
				counted = true
			:: else -> was = second; count = used
			fi;
			if
#ifndef BREAK_one_try /* adds, whichever second it is now */
			:: !counted
#endif
			:: else -> break
			fi
		}
	:: else -> break
	od;
	atomic {
		if
		:: !counted -> used++; spend(second)
		:: else
		fi;
		was = 0; count = 0; counted = false
	}
}

proctype cpu(byte id)
{
	byte now, was, count;
	bool one, counted;

judged:
	atomic {
		now = 0; was = 0; count = 0; one = false; counted = false;
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
		fi;
		if
		:: clock < SECONDS -> clock++
		:: true
		fi;
		arrived++;
		now = clock
	};

	atomic {
		if
		:: second >= now && used >= RATE -> goto judged /* rate */
		:: else
		fi
	};
#ifdef BREAK_count_first
	rate_count();
#endif
	atomic {
		if
		:: one && recorded -> goto judged /* replay */
		:: else -> recorded = recorded || one; records++
		fi
	};
	admissions++;
#ifndef BREAK_count_first
	rate_count();
#endif
	goto judged;

none_left:
	atomic {
		finished++;
		if
		:: finished == CPUS ->
			assert(records == admissions);
			assert(records == spent[1] + spent[2] + spent[3]) /* replays spend nothing */
		:: else
		fi
	}
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
