// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Written by hand and not generated, to be read; a test holds it against the
// options that are there.

#include "runtime/program/Options.h"

using namespace lori;

static const char helpBody[] = R"(
A language model compiled by lori-compile. Everything it needs is in this file.

  @ -p "Once upon a time"             continue a text
  @ --chat                            talk, a line at a time
  @ --chat -p "Why?" --adapter tiny   one answer, with an adapter
  @ --info                            what is in here, as JSON

The prompt, one of
  -p TEXT               this text
  -f FILE               the text of a file
  --chat                turns of a conversation: lines of standard input, or
                        the one of -p or -f
  --tokens 1,2,3        these token ids, with none added
  --requests FILE       many prompts at once, run as one batch; a JSON object
                        on each line, in the order of the answers:
                          {"prompt": TEXT | "tokens": [ID, ...] |
                           "messages": [{"role": TEXT, "content": TEXT}, ...],
                           "adapter": NAME | null |
                                      [{"name": NAME, "scale": X}, ...],
                           "n": N}
                          -> {"text": TEXT, "tokens": [ID, ...]}

The answer
  -n N                  at most N new tokens (256); 0 reads the prompt only
  --stop TEXT           end before this text; may be repeated
  --ignore-eos          do not end where the model does, go on to N tokens
  --temperature T       choose by chance, the flatter the higher T; 0 takes the
                        likeliest token (0, or 1 with --top-k or --top-p)
  --top-k K             among the K likeliest tokens (0: all)
  --top-p P             among the likeliest that make up P of the chance (1)
  --seed S              the same choices each time

Adapters
  --adapter NAME[=X]    switch on an adapter of this program, with weight X or
                        the one it was compiled with; may be repeated
  --load NAME=PATH      load a PEFT directory as the adapter NAME; may be
                        repeated

Output
  --print-tokens        new token ids on one line, in place of text
  --logits FILE.npy     write the prompt's logits, float32 [positions, tokens]

Other uses
  --perplexity FILE     how well the model foretells a text, in windows of its
                        whole context, with the standard error
  --bench [prefill=512,decode=128,batch=1]
                        measure speed: a line of JSON, in tokens per second
  --tokenize FILE       JSON strings, one a line, to arrays of token ids
  --detokenize FILE     the reverse
  --render-chat FILE    lines {"messages": [...], "add_generation_prompt": BOOL}
                        to the text that the model is given
  --info                model, adapters, sizes and CPU features as JSON

  --threads N           use N threads (as many as CPUs this process may use)
  -h, --help            this text

FILE may be - for standard input. Exit codes: 0 done, 1 bad input, 2 an unknown
option or a malformed value.
)";

std::string lori::helpText(const std::string &program) {
  std::string text = "usage: " + program + " [OPTION]...\n";
  for (const char *c = helpBody; *c; ++c)
    *c == '@' ? void(text += program) : void(text += *c);
  return text;
}
