/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory that results are written to, all or nothing; private to render/.
 *
 * Files are made in a directory of our own inside of it, which nobody else can write to, and are
 * renamed into place at the end: a reader sees whole files only, a failure leaves what was there, and
 * a symbolic link that somebody put in a file's place is replaced and never followed.
 */
#ifndef SF_RENDER_OUTDIR_H
#define SF_RENDER_OUTDIR_H

#include <dirent.h>
#include <stddef.h>

#include <snapflame/array.h>
#include <snapflame/error.h>

struct sf_outdir {
	int fd;       /* of the directory */
	int stage_fd; /* of where files are made; programs that make some run there */
	DIR *listing; /* of it, from the beginning: it is removed also where memory has run out */
	char stage[32], path[256];
	struct {
		char **name;
		size_t nr, alloc;
	} file;
};

/*
 * Open DIR, made where it is missing (its parents, too). -EACCES, -ENOTDIR, -ELOOP, …, said in err. A
 * DIR that is a symbolic link of somebody else is refused.
 */
int sf_outdir_open(struct sf_outdir *o, const char *path, struct sf_error *err);
/* Make a file with this content. name has no slash and does not begin with a dot. */
int sf_outdir_write(struct sf_outdir *o, const char *name, const void *data, size_t len,
		    struct sf_error *err);
/* The same for a file that is not to be kept: what a program reads. */
int sf_outdir_scratch(struct sf_outdir *o, const char *name, const void *data, size_t len,
		      struct sf_error *err);
/* A file that a program made in stage_fd is to be kept. 0, -ENOENT where it did not, -ENOMEM. */
int sf_outdir_keep(struct sf_outdir *o, const char *name);
/* Move all files into place, in the order in which they were made. */
int sf_outdir_commit(struct sf_outdir *o, struct sf_error *err);
/* Remove what was not committed. */
void sf_outdir_release(struct sf_outdir *o);

#endif
