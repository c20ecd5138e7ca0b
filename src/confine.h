/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a command that only reads files and writes results can do without. Run as root it may meet
 * files that somebody else made: what could be gained by a flaw in a parser is small then, also in the
 * programs that it starts. SECURITY.md says what this is worth.
 */
#ifndef SF_CONFINE_H
#define SF_CONFINE_H

/* What a command needs nevertheless. */
enum sf_confined {
	SF_CONFINED_NOT,    /* records, or looks at what recording needs: everything */
	SF_CONFINED_ALONE,  /* starts no program */
	SF_CONFINED_STARTS, /* starts gnuplot and flamegraph.pl */
};

/*
 * From here on, for this process and its children: no new privileges, no capabilities but those for
 * reading and writing files, no core dump, no system calls that only an attacker would want. argv
 * tells whether the network is asked for. What the kernel does not know is left out.
 */
void sf_confine(enum sf_confined how, char *const *argv);

#endif
