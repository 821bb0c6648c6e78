// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads a compiled model by dlopen, as any program may, and prints what follows
// three tokens.

#include "runtime/lori.h"

#include <dlfcn.h>
#include <stdio.h>

static void *library;

#define LOAD(name)                                                             \
  __typeof__(&name) p_##name = (__typeof__(&name))dlsym(library, #name);       \
  if (!p_##name)                                                               \
  return puts("no " #name), 1

int main(int argc, char **argv) {
  library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library)
    return puts(dlerror()), 1;
  LOAD(lori_message);
  LOAD(lori_open);
  LOAD(lori_close);
  LOAD(lori_vocabulary);
  LOAD(lori_adapter_count);
  LOAD(lori_adapter_name);
  LOAD(lori_sequence_open);
  LOAD(lori_run);
  lori_model *model;
  lori_sequence sequence;
  if (p_lori_open(NULL, &model) != LORI_OK ||
      p_lori_sequence_open(model, &sequence) != LORI_OK)
    return puts(p_lori_message()), 1;
  printf("vocabulary %d\n", (int)p_lori_vocabulary(model));
  for (int i = 0; i < p_lori_adapter_count(model); ++i)
    printf("adapter %s\n", p_lori_adapter_name(model, i));
  int32_t prompt[] = {3, 14, 15};
  lori_part part = {sequence, prompt, 3, 1};
  const float *logits;
  if (p_lori_run(model, &part, 1, &logits) != LORI_OK)
    return puts(p_lori_message()), 1;
  int best = 0;
  for (int i = 0; i < p_lori_vocabulary(model); ++i)
    if (logits[i] > logits[best])
      best = i;
  printf("%d\n", best);
  p_lori_close(model);
  return 0;
}
