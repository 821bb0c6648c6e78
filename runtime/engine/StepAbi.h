/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The border between generated code and the runtime: the functions that a
 * compiled model exports. Plain C, bare pointers, no descriptors.
 */

#ifndef LORI_RUNTIME_ENGINE_STEPABI_H
#define LORI_RUNTIME_ENGINE_STEPABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Positions of a sequence lie in pages of this many tokens. */
enum { LORI_PAGE_TOKENS = 16 };

/* Runs the model on a ragged batch of `rows` tokens: row i is token
 * `tokens[i]` at position `positions[i]` of sequence `sequences[i]`. Rows of
 * one sequence come in ascending position; all positions before them must be
 * in the cache already. Writes the logits that follow row `output_rows[j]`,
 * j < outputs, to `logits + j * logits_stride` (metadata "logits_stride", in
 * floats).
 *
 *   adapter_scales  [rows, adapters] f32: the weight of each compiled-in live
 *                   adapter for each row, 0 where it is off. The adapter's own
 *                   scaling (alpha / r) is already in the code.
 *   pages           [sequences, pages_per_sequence] i32: page p of sequence s
 *                   holds its positions 16 p .. 16 p + 15.
 *   params          the parameter section of the artefact, 64-byte aligned.
 *   bank_uses, uses, use_scales, bank
 *                   adapters loaded at run time: use u is one adapter at work
 *                   on one run of rows, weighed by use_scales[u]. uses is
 *                   [bank_uses, 4 + 2 sites]: the first row, the number of
 *                   rows, the first of the outputs that are such rows and
 *                   their number, and for each site of the metadata's "bank"
 * the rank (a multiple of its panel_rows; 0 where the adapter has no such
 * module) and the byte offset in `bank` of for each layer: float scaling, 60
 * bytes unused float A[rank / panel_rows][in][panel_rows] float B[ceil(out /
 * panel_rows)][rank][panel_rows] keys, values    the caches: page q starts at
 * byte q * key_page_bytes (value_page_bytes). [page, layer, kv head, head_dim,
 * 16] for keys, [page, layer, kv head, 16, head_dim] for values.
 */
void lori_step(int64_t rows, int64_t outputs, const int32_t *tokens,
               const int32_t *positions, const int32_t *sequences,
               const int32_t *output_rows, const float *adapter_scales,
               const int32_t *pages, const void *params, int64_t bank_uses,
               const int64_t *uses, const float *use_scales, const void *bank,
               void *keys, void *values, float *logits);

/* Writes the row-major matrix `from` [rows, columns] into float panels of the
 * kernels' rows, zero up to `padded_rows` and `padded_columns`: the writers of
 * A and B in a bank. */
void lori_write_f32(int64_t rows, int64_t columns, int64_t padded_rows,
                    int64_t padded_columns, const void *from, float *to);
void lori_write_f16(int64_t rows, int64_t columns, int64_t padded_rows,
                    int64_t padded_columns, const void *from, float *to);
void lori_write_bf16(int64_t rows, int64_t columns, int64_t padded_rows,
                     int64_t padded_columns, const void *from, float *to);

#ifdef __cplusplus
}
#endif

#endif /* LORI_RUNTIME_ENGINE_STEPABI_H */
