/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the two halves of the SYN flood have in common besides live.h.
 */
#ifndef FLOOD_H
#define FLOOD_H

#define FLOOD_WINDOW_ANY (-1)

#endif /* FLOOD_H */
