/* scratch.h: directories for tests that need a real file system. */
#ifndef GOSSAMER_TESTS_SCRATCH_H
#define GOSSAMER_TESTS_SCRATCH_H

#define SCRATCH_SIZE 64 /* bytes of a scratch path, its zero included */

/* scratch_make creates an empty directory of a new name below /tmp and writes its path. */
void scratch_make(char path[SCRATCH_SIZE]);
/* scratch_remove removes a directory with all that is in it. */
void scratch_remove(const char *path);
/* scratch_copy copies the files and directories in `from` into the existing directory `to`. */
void scratch_copy(const char *from, const char *to);

#endif
