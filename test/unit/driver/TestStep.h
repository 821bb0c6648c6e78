// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_DRIVER_TESTSTEP_H
#define LORI_TEST_UNIT_DRIVER_TESTSTEP_H

#include <cstdint>

/// What the modules of these tests define: y[i] = exp(x[i]) for i < n.
extern "C" void lori_step(int64_t n, const float *x, float *y);

#endif // LORI_TEST_UNIT_DRIVER_TESTSTEP_H
