// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_PATTERNS_H
#define LORI_PASSES_CONVERSION_PATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::lori {

/// Lowers the use of adapters to linalg and scf.
void populateLoriToLinalgPatterns(RewritePatternSet &patterns);

/// Lowers the ops of `lm` to linalg, scf and vector.
void populateLmToLinalgPatterns(RewritePatternSet &patterns);

/// Lower attention and the cache's update; part of the above.
void populateAttentionPatterns(RewritePatternSet &patterns);
void populateCacheAppendPatterns(RewritePatternSet &patterns);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_PATTERNS_H
