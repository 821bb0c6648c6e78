// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The metadata of a compiled model: one JSON object, written by the compiler
// and read by the engine. Every key of `toJson` is required unless noted.
//
//     {"format": 1, "name": "SmolLM2 135M", "architecture": "llama",
//      "parameters": 134515008, "weights_type": "q4_1",
//      "vocab_size": 49152, "logits_stride": 49152, "context": 2048,
//      "layers": 30, "kv_heads": 3, "head_dim": 64, "kv_type": "f16",
//      "key_page_bytes": 184320, "value_page_bytes": 184320,
//      "max_rows": 512, "max_sequences": 64, "pages_per_sequence": 128,
//      "adapters": [{"name": "tiny", "scale": 0.5, "rank": 8, "modules": 210,
//                    "nonzeros": 92160, "entries": 921600, "bytes": 184320}],
//      "bank": {"panel_rows": 32, "sites":
//        [{"target": "model.layers.*.mlp.up_proj", "in": 576, "out": 1536,
//          "layers": 30}]},
//      "fused": [], "bos": 1, "add_bos": false, "eos": [2, 0],
//      "chat_template": "…" | null, "bos_token": "<|im_start|>",
//      "eos_token": "<|im_end|>", "cpu_features": ["avx2", "fma"],
//      "target_cpu": "x86-64-v3", "sizes": {"weights": 84000000}}
//
// Unknown keys are kept (they are shown by --info) and not an error, so that
// the compiler can say more without a new format.

#ifndef LORI_RUNTIME_ENGINE_MODELINFO_H
#define LORI_RUNTIME_ENGINE_MODELINFO_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// A live adapter of a compiled model.
struct AdapterInfo {
  std::string name;
  /// The weight given when compiling (`--adapter NAME=PATH@SCALE`), else 1.
  /// The adapter's own scaling (alpha / r) is in the code already.
  float scale = 1;
  int64_t rank = 0;     ///< the largest of its modules
  int64_t modules = 0;  ///< projections it changes
  int64_t nonzeros = 0; ///< of its B's
  int64_t entries = 0;  ///< of its B's, zeros included
  int64_t bytes = 0;    ///< in the parameter section
};

/// A projection that adapters loaded at run time may update.
struct BankSite {
  std::string target; ///< module path with a `*` for the layer
  int64_t in = 0, out = 0;
  int64_t layers = 0; ///< 0 for a module outside of the layers
};

/// Where and how loaded adapters lie in memory, see StepAbi.h.
struct BankInfo {
  int64_t panelRows = 1;
  std::vector<BankSite> sites; ///< none: the program cannot load adapters
};

struct ModelInfo {
  std::string name, architecture;
  int64_t parameters = 0;  ///< count of the base model
  std::string weightsType; ///< storage of its matrices, e.g. "q4_1"
  int64_t vocabulary = 0;
  int64_t logitsStride = 0; ///< floats from one row of logits to the next
  int64_t context = 0;      ///< positions a sequence can have
  int64_t layers = 0, kvHeads = 0, headDim = 0;
  std::string kvType;
  int64_t keyPageBytes = 0,
          valuePageBytes = 0;   ///< of 16 positions, see StepAbi
  int64_t maxRows = 0;          ///< most rows of one call of lori_step
  int64_t maxSequences = 0;     ///< rows of the page table
  int64_t pagesPerSequence = 0; ///< columns of the page table
  std::vector<AdapterInfo> adapters;
  BankInfo bank;
  std::vector<std::string> fused; ///< names of adapters within the weights
  std::optional<int32_t> bos;
  bool addBos = false; ///< whether a text starts with it
  std::vector<int32_t> eos;
  std::optional<std::string> chatTemplate;
  std::string bosToken, eosToken;       ///< as texts, for the chat template
  std::vector<std::string> cpuFeatures; ///< LLVM's names, see CpuFeatures.h
  std::string targetCpu;
  /// What lies in the program, in bytes, by name; for display.
  std::vector<std::pair<std::string, int64_t>> sizes;
};

std::string toJson(const ModelInfo &info);

/// Reads and checks metadata; `file` is for messages. Afterwards all counts
/// that make up memory are positive and bounded, a sequence's pages hold its
/// context, ids are below `vocabulary`, and adapter names are unique. Throws
/// Error otherwise.
ModelInfo parseModelInfo(std::string_view json, const std::string &file);

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_MODELINFO_H
