// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entries of LoriThreads as compiled code declares them, and a parallel
// loop written as MLIR's lowering of scf.parallel writes it.

#ifndef LORI_TEST_UNIT_THREADS_KMPC_H
#define LORI_TEST_UNIT_THREADS_KMPC_H

#include <cstddef>
#include <cstdint>
#include <functional>

extern "C" {
int32_t __kmpc_global_thread_num(void *location);
void __kmpc_push_num_threads(void *location, int32_t thread, int32_t count);
void __kmpc_fork_call(void *location, int32_t count,
                      void (*body)(int32_t *, int32_t *, ...), ...);
void __kmpc_for_static_init_8u(void *location, int32_t thread, int32_t schedule,
                               int32_t *last, uint64_t *lower, uint64_t *upper,
                               int64_t *stride, int64_t step, int64_t chunk);
void __kmpc_for_static_init_4u(void *location, int32_t thread, int32_t schedule,
                               int32_t *last, uint32_t *lower, uint32_t *upper,
                               int32_t *stride, int32_t step, int32_t chunk);
void __kmpc_for_static_fini(void *location, int32_t thread);
void __kmpc_barrier(void *location, int32_t thread);
int32_t __kmpc_reduce(void *location, int32_t thread, int32_t count,
                      size_t size, void *data, void (*combine)(void *, void *),
                      void *lock);
void __kmpc_end_reduce(void *location, int32_t thread, void *lock);
int32_t __kmpc_reduce_nowait(void *location, int32_t thread, int32_t count,
                             size_t size, void *data,
                             void (*combine)(void *, void *), void *lock);
void __kmpc_end_reduce_nowait(void *location, int32_t thread, void *lock);
}

namespace lori::test {

using Body = void (*)(int32_t *, int32_t *, ...);

/// Runs `body` once on each member of a region.
inline void parallel(const std::function<void()> &body) {
  auto outlined = +[](int32_t *, int32_t *, void *capture) {
    (*static_cast<const std::function<void()> *>(capture))();
  };
  __kmpc_fork_call(nullptr, 1, reinterpret_cast<Body>(outlined), &body);
}

/// The worksharing loop over 0 .. trips - 1 inside a region.
template <typename Visit> void shareLoop(uint64_t trips, Visit visit) {
  int32_t thread = __kmpc_global_thread_num(nullptr), last = 0;
  uint64_t lower = 0, upper = trips - 1;
  int64_t stride = 1;
  __kmpc_for_static_init_8u(nullptr, thread, 34, &last, &lower, &upper, &stride,
                            1, 0);
  for (uint64_t i = 0, mine = upper - lower + 1; i < mine; ++i)
    visit(lower + i);
  __kmpc_for_static_fini(nullptr, thread);
  __kmpc_barrier(nullptr, thread);
}

} // namespace lori::test

#endif // LORI_TEST_UNIT_THREADS_KMPC_H
