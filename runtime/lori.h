/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Running a compiled model from C, or from any language that calls C.
 *
 *     lori_model *model;
 *     lori_sequence sequence;
 *     if (lori_open(NULL, &model) != LORI_OK ||
 *         lori_sequence_open(model, &sequence) != LORI_OK)
 *       return puts(lori_message());
 *     int32_t prompt[] = {1, 15043, 3186};
 *     lori_part part = {sequence, prompt, 3, 1};
 *     const float *logits;
 *     if (lori_run(model, &part, 1, &logits) != LORI_OK)
 *       return puts(lori_message());
 *     ... logits[0 .. lori_vocabulary(model) - 1] rate the next token ...
 *     lori_close(model);
 *
 * A model is used by one thread at a time; it runs on several itself, see
 * lori_set_threads. Different models, and processes that run the same file,
 * share its weights' memory.
 *
 * Functions that can fail return a lori_status; when it is not LORI_OK, nothing
 * has changed, out-parameters included, and lori_message() says why in one
 * line. A null model, or an index out of range, is LORI_ERROR_ARGUMENT where a
 * status is returned, and otherwise 0 or NULL.
 */

#ifndef LORI_RUNTIME_LORI_H
#define LORI_RUNTIME_LORI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lori_model lori_model;

/* A sequence of tokens and its key/value cache; meaningful with its model
 * only. Values are not used again soon after lori_sequence_close. */
typedef int64_t lori_sequence;

typedef enum lori_status {
  LORI_OK = 0,
  /* The file cannot be read, holds no model, or one that is damaged. */
  LORI_ERROR_FILE = 1,
  /* A null pointer, an id out of range, a closed sequence, ... */
  LORI_ERROR_ARGUMENT = 2,
  /* The sequence's tokens would not fit the context. */
  LORI_ERROR_CONTEXT = 3,
  /* All lori_max_sequences are open. */
  LORI_ERROR_SEQUENCES = 4,
  /* The system has no memory left. */
  LORI_ERROR_MEMORY = 5,
  /* The CPU lacks an instruction set that the model was compiled for. */
  LORI_ERROR_CPU = 6,
  /* Logits are NaN or infinite. The sequences that took part should be
   * closed. */
  LORI_ERROR_NUMBER = 7,
  /* A defect of this library. */
  LORI_ERROR_INTERNAL = 8
} lori_status;

/* Why the last failing call of this thread failed; "" if none did. Valid until
 * the next failing call of this thread. */
const char *lori_message(void);

/* ---- models ------------------------------------------------------------ */

/* Opens the compiled model in the file `path`: a shared library made by
 * lori-compile --emit=shared (it is loaded), or a payload whose code is linked
 * into this program. NULL is the model that this code itself was linked with:
 * within a compiled program, that program's; within a compiled shared library,
 * that library's. */
lori_status lori_open(const char *path, lori_model **model);

/* Frees the model and its sequences. NULL is allowed. */
void lori_close(lori_model *model);

/* Number of tokens; ids are 0 .. this - 1. */
int64_t lori_vocabulary(const lori_model *model);
/* Most tokens of one sequence. */
int64_t lori_context(const lori_model *model);
/* Most sequences open at once. */
int64_t lori_max_sequences(const lori_model *model);
/* Most tokens that are computed at once; longer runs are cut up. */
int64_t lori_max_rows(const lori_model *model);
/* Floats from one row of logits to the next, at least lori_vocabulary. */
int64_t lori_logits_stride(const lori_model *model);

/* The model's metadata, a JSON object in UTF-8 (runtime/engine/ModelInfo.h
 * describes it), with its size in bytes; not null-terminated. */
const char *lori_metadata(const lori_model *model, size_t *size);

/* The model's tokenizer in the form of runtime/text; size 0 if it has none. */
lori_status lori_tokenizer(const lori_model *model, const void **bytes,
                           size_t *size);

/* Number of threads that lori_run of all models uses, this one included; the
 * default is as many as CPUs this process may use. */
void lori_set_threads(int count);

/* ---- adapters ---------------------------------------------------------- */

/* Adapters that are live in the model, numbered from 0: those it was compiled
 * with, then those that were loaded. */
int32_t lori_adapter_count(const lori_model *model);
/* Valid as long as the adapter is there; NULL for one that was unloaded. */
const char *lori_adapter_name(const lori_model *model, int32_t adapter);
/* The weight given when the model was compiled, 1 if none was. */
float lori_adapter_scale(const lori_model *model, int32_t adapter);
/* The number of the adapter `name`, -1 if there is none. */
int32_t lori_adapter_find(const lori_model *model, const char *name);

/* Loads the PEFT directory `path` (adapter_config.json with
 * adapter_model.safetensors) as the adapter `name`, with weight 1. It must fit
 * the model's projections in names and shapes; LORI_ERROR_FILE says what does
 * not. `*adapter` is its number; numbers of unloaded adapters are used again.
 */
lori_status lori_adapter_load(lori_model *model, const char *name,
                              const char *path, int32_t *adapter);

/* Frees an adapter that was loaded and that no open sequence uses. */
lori_status lori_adapter_unload(lori_model *model, int32_t adapter);

/* An adapter and its weight: 1 is the adapter as trained, 0 is off. */
typedef struct lori_adapter_use {
  int32_t adapter;
  float scale;
} lori_adapter_use;

/* ---- sequences --------------------------------------------------------- */

/* Starts an empty sequence without adapters. */
lori_status lori_sequence_open(lori_model *model, lori_sequence *sequence);
lori_status lori_sequence_close(lori_model *model, lori_sequence sequence);

/* Number of tokens in the cache; -1 if there is no such sequence. */
int64_t lori_sequence_length(const lori_model *model, lori_sequence sequence);

/* Forgets all tokens from position `length` on. */
lori_status lori_sequence_truncate(lori_model *model, lori_sequence sequence,
                                   int64_t length);

/* Sets the adapters of the tokens to come, in place of those set before; the
 * weights of an adapter named twice add up. Tokens in the cache stay as they
 * were computed: truncate to 0 to compute them again. */
lori_status lori_sequence_adapters(lori_model *model, lori_sequence sequence,
                                   const lori_adapter_use *uses, size_t count);

/* ---- running ----------------------------------------------------------- */

/* Tokens to append to a sequence. Logits are wanted after the last `outputs`
 * of them: 1 to generate, 0 for a part of a prompt, `count` for all. */
typedef struct lori_part {
  lori_sequence sequence;
  const int32_t *tokens;
  size_t count;
  size_t outputs;
} lori_part;

/* Runs all parts as one ragged batch: sequences of any phase and length, each
 * with its own adapters. A sequence occurs in one part only. `*logits` are the
 * wanted rows, part by part, lori_logits_stride floats apart and valid until
 * the next call of lori_run. */
lori_status lori_run(lori_model *model, const lori_part *parts, size_t count,
                     const float **logits);

#ifdef __cplusplus
}
#endif

#endif /* LORI_RUNTIME_LORI_H */
