/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Collecting the four segments of a group, by CPUs that share a bucket without a lock. Mirrors
 * bpf/group.h: tap_collect(), tap_collect_more(), tap_slots_of(), tap_slot_try(), tap_store() and
 * tap_take_group(). Each access to the bucket is one step; what a CPU does by itself until its next
 * one belongs to that step.
 *
 * Four segments of one group, COPIES of some of them and STRANGERS (one segment each, each of
 * another group) come in every order to every CPU. If no stranger pushed a segment out, the group is
 * judged: once, or with COPIES once more for each at most (the record of the first time then refuses
 * the second). What is judged is always four different segments.
 */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef SLOTS
#define SLOTS 7
#endif
#ifndef COPIES
#define COPIES 0
#endif
#ifndef STRANGERS
#define STRANGERS 0
#endif
#ifndef PRESENT /* so many of the group are in the bucket already */
#define PRESENT 0
#endif

/* A segment's word: 0 none, 1 to 4 the group's, from 5 on strangers'. */
#define OURS(w) ((w) && (w) <= 4)
#define SAME_GROUP(w) ((w) == word || (OURS(w) && OURS(word)))
#define NONE_LEFT (next > 4 && !copies && !strangers)
#define AFTER(n) (((n) + 1) % SLOTS)
#define CURSOR_AFTER(n) (word << 3 | AFTER(n)) /* tap_cursor_after() */

byte slot[SLOTS], cursor = PRESENT << 3 | PRESENT;
byte next = PRESENT + 1, copies = COPIES, strangers = STRANGERS; /* still to come */
byte judged, busy, finished;
bool pushed_out, crowded;

/*
 * tap_slots_of(): whether `wanted` are there. The C code always reads all slots; here it stops when
 * the answer is certain, because what is read after that changes nothing.
 */
#define CERTAIN(wanted) (count == wanted || count + SLOTS - i < wanted)

inline slots_of(wanted)
{
	do
	:: atomic {
		count = count + SAME_GROUP(slot[i]);
		i++;
		if
		:: CERTAIN(wanted) -> ok = count == wanted; count = 0; i = 0; break
		:: else
		fi
	   }
	od
}

inline compare_and_swap(n, from, to)
{
	ok = slot[n] == from;
	if
	:: ok ->
		pushed_out = pushed_out || (OURS(from) && to > 4);
		slot[n] = to
	:: else
	fi
}

/* tap_slot_try(), in two steps. */
inline slot_read()
{
	seen = slot[at];
	ok = !SAME_GROUP(seen)
}

inline slot_swap()
{
	if
	:: ok -> compare_and_swap(at, seen, word)
	:: else
	fi;
	seen = 0
}

inline exchange_cursor()
{
	last = cursor;
	cursor = CURSOR_AFTER(at)
}

/* tap_is_stored(): this very segment, of which there are copies */
inline is_stored()
{
	do
	:: atomic {
		ok = slot[i] == word;
		i++;
		if
		:: ok -> goto arrives /* TAP_DUPLICATE */
		:: else
		fi;
		if
		:: i == SLOTS -> i = 0; break
		:: else
		fi
	   }
	od
}

/* tap_gather(): one slot */
inline gather_slot()
{
	seen = slot[i];
	if
#ifdef BREAK_gather /* a word that is there already is gathered again */
	:: OURS(seen) ->
#else
	:: OURS(seen) && !(four >> seen & 1) ->
#endif
		if
		:: !count -> first = seen; at = i
		:: else
		fi;
		four = four | 1 << seen;
		count++
	:: else
	fi;
	seen = 0;
	i++
}

/* The first part of tap_take_group(), after gathering: who clears the lowest slot judges. */
inline compete()
{
#ifdef BREAK_take /* looks, and clears in another step */
	ok = slot[at] == first
#else
	compare_and_swap(at, first, 0);
	if
	:: ok ->
		judged++;
		assert(judged <= 1 + COPIES); /* judged once */
		assert(four == 30) /* four different segments */
	:: else
	fi
#endif
}

proctype cpu(byte id)
{
	byte word, seen, at, i, count, last, first, four, others;
	bool ok, stored;

arrives:
	atomic {
		word = 0; seen = 0; at = 0; i = 0; count = 0; last = 0; first = 0; four = 0;
		others = 0; ok = false; stored = false;
		busy = busy & ~(1 << id)
	};
	atomic {
		/* Idle CPUs are all alike, so the first of them may as well take the next segment. */
		(busy & (1 << id) - 1) == (1 << id) - 1 || NONE_LEFT;
		busy = busy | 1 << id;
		if
		:: next <= 4 -> word = next; next++
		:: copies && next > 1 ->
			copies--;
			select(word : 1 .. next - 1)
		:: strangers -> word = 4 + strangers; strangers--
		:: NONE_LEFT -> goto none_left
		fi;
		/* tap_collect() */
		last = cursor
	};
	do
	:: atomic {
		others = others + SAME_GROUP(slot[i]);
		i++;
		if
		:: i == SLOTS -> i = 0; break
		:: else
		fi
	   }
	od;
#if COPIES /* else there is none to find */
	if
	:: others -> is_stored()
	:: else
	fi;
#endif
	atomic { at = last & 7; slot_read(); count = last; last = 0 };
#ifdef BREAK_cursor /* the exchange comes before the segment is in place */
	atomic {
		if
		:: ok -> exchange_cursor()
		:: else
		fi
	};
#endif
	atomic { slot_swap(); stored = ok };
	if
	:: atomic {
		stored ->
#ifndef BREAK_cursor
		exchange_cursor();
#endif
#ifdef BREAK_look /* never looks again */
		last = count;
#endif
		if
		:: last == count && others < 3 -> goto arrives
		:: last == count && others >= 3 -> goto take
		:: else -> last = 0; at = 0; ok = false
		fi
	   }
	:: atomic { !stored -> at = 0 }
	fi;
	count = 0;

	/* tap_collect_more() */
	if
	:: !stored ->
#if COPIES
		is_stored();
#endif
		/* tap_store() */
		at = cursor & 7;
		do
		:: atomic { slot_read() };
			atomic {
				slot_swap();
				i++;
				if
				:: ok || i == SLOTS -> i = 0; break
				:: else -> at = AFTER(at)
				fi
			}
		od;
		atomic {
			if
			:: ok -> exchange_cursor(); last = 0; at = 0; ok = false
			:: else -> crowded = true; goto arrives
			fi
		}
	:: else
	fi;
	slots_of(4);
	if
	:: !ok -> goto arrives
	:: else
	fi;

take:
	/* tap_take_group() */
	atomic { at = 0; last = 0; count = 0; others = 0; ok = false };
	do
	:: atomic {
		gather_slot();
		if
		:: count == 4 -> break
		:: count + SLOTS - i < 4 -> goto arrives
		:: else
		fi
	   }
	od;
	atomic {
		i = 0;
		count = 0;
		compete();
		if
		:: !ok -> goto arrives
		:: else
		fi
	};
#ifdef BREAK_take
	atomic { slot[at] = 0; judged++; assert(judged <= 1 + COPIES) };
#endif
	at = 0; first = 0; four = 0;
	do
	:: atomic { seen = slot[i]; ok = OURS(seen) };
		atomic {
			if
			:: ok -> compare_and_swap(i, seen, 0)
			:: else
			fi;
			seen = 0;
			i++;
			if
			:: i == SLOTS -> goto arrives
			:: else
			fi
		}
	od;

none_left:
	atomic {
		finished++;
		if
		:: finished == CPUS ->
			assert(judged || pushed_out || crowded); /* not lost */
#if CPUS == 1
			assert(!pushed_out && !crowded) /* as long as there are slots for all */
#endif
		:: else
		fi
	}
}

init {
	byte n;

	atomic {
		do
		:: n < PRESENT -> slot[n] = n + 1; n++
		:: else -> n = 0; break
		od;
		do
		:: n < CPUS -> run cpu(n); n++
		:: else -> n = 0; break
		od
	}
}
