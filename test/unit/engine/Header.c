/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The public header is C99, and a whole use of it from C.
 */

#include "runtime/lori.h"

int lori_test_from_c(const char *path, int32_t token);

/* Returns 0 if the model's first token after 1, 2, 3 is `token`. */
int lori_test_from_c(const char *path, int32_t token) {
  const int32_t prompt[] = {1, 2, 3};
  lori_model *model = NULL;
  lori_sequence sequence = 0;
  const float *logits = NULL;
  lori_part part;
  int64_t i, best = 0;
  if (lori_open(path, &model) != LORI_OK ||
      lori_sequence_open(model, &sequence) != LORI_OK)
    return 1;
  part.sequence = sequence;
  part.tokens = prompt;
  part.count = 3;
  part.outputs = 1;
  if (lori_run(model, &part, 1, &logits) != LORI_OK)
    return 2;
  for (i = 1; i < lori_vocabulary(model); ++i)
    if (logits[i] > logits[best])
      best = i;
  lori_close(model);
  return best == token ? 0 : 3;
}
