/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * How many threads the parallel loops of compiled code run on. Compiled code
 * itself enters through the OpenMP entries of Kmpc.cpp.
 */

#ifndef LORI_RUNTIME_THREADS_THREADS_H
#define LORI_RUNTIME_THREADS_THREADS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the number of threads of the parallel loops to come, the caller's
 * included; values below 1 count as 1 and values above 1024 as 1024. Waits for
 * a loop that another thread has under way. Ignored inside a parallel loop. */
void lori_set_threads(int count);

/* Returns the number of threads that parallel loops run on: what was set, or
 * fewer where the system refuses to start that many; before anything was set
 * lori_available_cpus(). */
int lori_threads(void);

/* Returns how many CPUs this process may keep busy, at least 1: those of its
 * affinity mask, or fewer where its cgroup has a smaller quota. */
int lori_available_cpus(void);

#ifdef __cplusplus
}
#endif

#endif /* LORI_RUNTIME_THREADS_THREADS_H */
