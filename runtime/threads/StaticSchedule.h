// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_THREADS_STATICSCHEDULE_H
#define LORI_RUNTIME_THREADS_STATICSCHEDULE_H

#include <type_traits>

namespace lori {

/// The iterations `lower, lower + step, ..., upper` of one thread. None are
/// left where `upper - lower + step` is 0, computed modulo 2^bits: this is what
/// compiled code tests, and how it writes a loop without iterations (0 .. -1).
template <typename Unsigned> struct Share {
  Unsigned lower, upper;
  /// Distance between the starts of two chunks of this thread.
  std::make_signed_t<Unsigned> stride;
  /// Whether the loop's last iteration is among them.
  bool last;
};

/// Returns the number of iterations of `lower, lower + step, ..., upper`, where
/// step is not 0; 0 for an empty loop and for one of 2^bits iterations.
template <typename Unsigned>
Unsigned countIterations(Unsigned lower, Unsigned upper,
                         std::make_signed_t<Unsigned> step) {
  if (step > 0 ? upper < lower : lower < upper)
    return 0;
  return step > 0 ? (upper - lower) / Unsigned(step) + 1
                  : (lower - upper) / (Unsigned(0) - Unsigned(step)) + 1;
}

/// Cuts a loop into one contiguous range a thread; sizes differ by at most 1.
template <typename Unsigned>
Share<Unsigned> shareEvenly(Unsigned lower, Unsigned upper,
                            std::make_signed_t<Unsigned> step, unsigned thread,
                            unsigned threads) {
  using Signed = std::make_signed_t<Unsigned>;
  Unsigned all = countIterations(lower, upper, step);
  if (all == 0)
    return {lower, Unsigned(lower - Unsigned(step)), step, false};
  Unsigned each = all / threads, longer = all % threads;
  Unsigned first = thread * each + (thread < longer ? thread : longer);
  Unsigned count = each + (thread < longer);
  Unsigned start = lower + first * Unsigned(step);
  return {start, Unsigned(start + (count - 1) * Unsigned(step)),
          Signed(all * Unsigned(step)), count != 0 && first + count == all};
}

/// Deals chunks of `chunk` iterations to the threads in turn. The bounds are
/// those of the thread's first chunk, not cut at the loop's end.
template <typename Unsigned>
Share<Unsigned> shareInChunks(Unsigned lower, Unsigned upper,
                              std::make_signed_t<Unsigned> step, Unsigned chunk,
                              unsigned thread, unsigned threads) {
  using Signed = std::make_signed_t<Unsigned>;
  Unsigned all = countIterations(lower, upper, step);
  Unsigned span = chunk * Unsigned(step);
  Unsigned start = lower + thread * span;
  if (all == 0)
    return {lower, Unsigned(lower - Unsigned(step)), step, false};
  return {start, Unsigned(start + span - Unsigned(step)),
          Signed(threads * span), (all - 1) / chunk % threads == thread};
}

} // namespace lori

#endif // LORI_RUNTIME_THREADS_STATICSCHEDULE_H
