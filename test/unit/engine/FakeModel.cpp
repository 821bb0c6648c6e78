// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/engine/FakeModel.h"
#include "runtime/engine/ArtefactWriter.h"
#include "runtime/engine/StepAbi.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>
#include <unistd.h>

using namespace lori;

std::vector<std::string> fake::breaches;
std::vector<int64_t> fake::calls;

using Vector = std::array<float, fake::headDim>;

static constexpr int64_t pageTokens = LORI_PAGE_TOKENS;
static constexpr int64_t pageFloats = fake::headDim * pageTokens;

/// A fixed number in [-1, 1) for each pair.
static float noise(uint32_t a, uint32_t b) {
  uint32_t x = a * 2654435761u ^ (b + 0x9e3779b9u) * 2246822519u;
  x = (x ^ x >> 15) * 2654435769u;
  x ^= x >> 13;
  return static_cast<float>(x >> 8) / float(1 << 23) - 1.0f;
}

//===----------------------------------------------------------------------===//
// The definition
//===----------------------------------------------------------------------===//

static Vector keyOf(int32_t token, int64_t position) {
  Vector key;
  for (size_t d = 0; d < key.size(); ++d)
    key[d] = noise(token, d) + 0.25f * noise(position, 100 + d);
  return key;
}

static Vector valueOf(int32_t token, const float *scales) {
  Vector value;
  for (size_t d = 0; d < value.size(); ++d) {
    value[d] = noise(token, 10 + d);
    for (int64_t a = 0; a < fake::adapters; ++a)
      value[d] += scales[a] * noise(token, 20 + 10 * a + d);
  }
  return value;
}

static void addAttended(Vector &state, const Vector &query, const Vector &key,
                        const Vector &value) {
  float weight = 0;
  for (size_t d = 0; d < query.size(); ++d)
    weight += query[d] * key[d];
  for (size_t d = 0; d < query.size(); ++d)
    state[d] += weight * value[d];
}

static float logit(const Vector &state, const float *table, const float *scales,
                   int64_t token) {
  float value = 0;
  for (size_t d = 0; d < state.size(); ++d)
    value += state[d] * table[token * fake::headDim + d];
  for (int64_t a = 0; a < fake::adapters; ++a)
    value += scales[a] * noise(token, 70 + a);
  return value;
}

std::vector<float> fake::parameters() {
  std::vector<float> table(vocabulary * headDim);
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = noise(i, 50);
  return table;
}

std::vector<float> fake::logitsAfter(const std::vector<Token> &tokens) {
  static const std::vector<float> table = parameters();
  const Token &last = tokens.back();
  Vector query = keyOf(last.id, tokens.size() - 1), state = {};
  for (size_t j = 0; j < tokens.size(); ++j)
    addAttended(state, query, keyOf(tokens[j].id, j),
                valueOf(tokens[j].id, tokens[j].scales.data()));
  std::vector<float> logits(vocabulary);
  for (int64_t v = 0; v < vocabulary; ++v)
    logits[v] = logit(state, table.data(), last.scales.data(), v);
  return logits;
}

std::vector<int32_t> fake::greedy(const std::vector<int32_t> &prompt,
                                  size_t count,
                                  const std::vector<float> &scales) {
  std::vector<Token> tokens;
  tokens.reserve(prompt.size() + count);
  for (int32_t id : prompt)
    tokens.push_back({id, scales});
  std::vector<int32_t> result;
  while (result.size() < count) {
    std::vector<float> logits = logitsAfter(tokens);
    auto best = std::ranges::max_element(logits) - logits.begin();
    result.push_back(static_cast<int32_t>(best));
    tokens.push_back({result.back(), scales});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The same as compiled code does it
//===----------------------------------------------------------------------===//

static void expect(bool holds, const char *what) {
  if (!holds)
    fake::breaches.emplace_back(what);
}

static void checkRows(int64_t rows, int64_t outputs, const int32_t *tokens,
                      const int32_t *positions, const int32_t *sequences,
                      const int32_t *outputRows, const float *scales) {
  expect(rows > 0 && outputs >= 0 && outputs <= rows, "counts in range");
  std::map<int32_t, int32_t> last;
  for (int64_t i = 0; i < rows; ++i) {
    expect(tokens[i] >= 0 && tokens[i] < fake::vocabulary, "token in range");
    auto [place, isNew] = last.try_emplace(sequences[i], positions[i]);
    expect(isNew || positions[i] == place->second + 1, "positions ascend");
    place->second = positions[i];
  }
  for (int64_t j = 0; j < outputs; ++j)
    expect(outputRows[j] >= 0 && outputRows[j] < rows &&
               (j == 0 || outputRows[j] > outputRows[j - 1]),
           "output rows ascend");
  for (int64_t i = rows; i % 16 != 0; ++i) {
    expect(tokens[i] == 0 && positions[i] == 0 && sequences[i] == 0,
           "rows up to the block are zero");
    for (int64_t a = 0; a < fake::adapters; ++a)
      expect(scales[i * fake::adapters + a] == 0, "weights up to the block");
  }
}

/// Fields of a use: rows, outputs, and rank and offset of the only site.
static constexpr int64_t useFields = 6;

/// Adds what the uses of loaded adapters weigh to the first adapter's scales.
static void addLoaded(std::span<const int64_t> uses, const float *useScales,
                      const void *bank, std::span<const int32_t> outputRows,
                      std::vector<float> &scales) {
  for (size_t u = 0; u < uses.size() / useFields; ++u) {
    const int64_t *use = uses.data() + u * useFields;
    int64_t first = use[0], end = first + use[1];
    auto isOwn = [&](int32_t row) { return row >= first && row < end; };
    auto before = std::ranges::count_if(
        outputRows, [&](int32_t row) { return row < first; });
    expect(use[2] == before, "first output of a use");
    expect(use[3] == std::ranges::count_if(outputRows, isOwn),
           "outputs of a use");
    expect(use[4] == fake::panelRows, "rank in whole panels");
    float weight =
        useScales[u] *
        fake::weightOfFactors(static_cast<const std::byte *>(bank) + use[5]);
    for (int64_t row = first; row < end; ++row)
      scales[row * fake::adapters] += weight;
  }
}

float fake::weightOfFactors(const std::byte *layer) {
  const auto *scaling = reinterpret_cast<const float *>(layer);
  const float *a = scaling + 16, *b = a + panelRows * siteIn;
  return *scaling * a[0] * b[0];
}

template <typename Load>
static void writePanels(int64_t rows, int64_t columns, int64_t paddedRows,
                        int64_t paddedColumns, float *to, Load load) {
  for (int64_t i = 0; i < paddedRows; ++i)
    for (int64_t j = 0; j < paddedColumns; ++j)
      to[(i / fake::panelRows * paddedColumns + j) * fake::panelRows +
         i % fake::panelRows] =
          i < rows && j < columns ? load(i * columns + j) : 0;
}

void lori_write_f32(int64_t rows, int64_t columns, int64_t paddedRows,
                    int64_t paddedColumns, const void *from, float *to) {
  writePanels(rows, columns, paddedRows, paddedColumns, to,
              [&](int64_t i) { return static_cast<const float *>(from)[i]; });
}

void lori_step(int64_t rows, int64_t outputs, const int32_t *tokens,
               const int32_t *positions, const int32_t *sequences,
               const int32_t *outputRows, const float *scales,
               const int32_t *pages, const void *params, int64_t bankUses,
               const int64_t *uses, const float *useScales, const void *bank,
               void *keys, void *values, float *logits) {
  fake::calls.push_back(rows);
  checkRows(rows, outputs, tokens, positions, sequences, outputRows, scales);
  std::vector<float> total(scales, scales + rows * fake::adapters);
  addLoaded({uses, static_cast<size_t>(bankUses * useFields)}, useScales, bank,
            {outputRows, static_cast<size_t>(outputs)}, total);
  scales = total.data();
  expect(reinterpret_cast<uintptr_t>(params) % 64 == 0, "parameters aligned");
  const auto *table = static_cast<const float *>(params);
  auto page = [&](void *cache, int32_t sequence, int64_t position) {
    int32_t index =
        pages[sequence * fake::pagesPerSequence + position / pageTokens];
    return static_cast<float *>(cache) + index * pageFloats;
  };
  for (int64_t i = 0; i < rows; ++i) {
    int64_t column = positions[i] % pageTokens;
    float *key = page(keys, sequences[i], positions[i]);
    float *value = page(values, sequences[i], positions[i]);
    Vector newKey = keyOf(tokens[i], positions[i]);
    Vector newValue = valueOf(tokens[i], scales + i * fake::adapters);
    if (column == 0)
      expect(std::all_of(key, key + pageFloats, [](float x) { return x == 0; }),
             "a new page is zero");
    for (int64_t d = 0; d < fake::headDim; ++d) {
      key[d * pageTokens + column] = newKey[d];
      value[column * fake::headDim + d] = newValue[d];
    }
  }
  for (int64_t j = 0; j < outputs; ++j) {
    int32_t row = outputRows[j], sequence = sequences[row];
    Vector query = keyOf(tokens[row], positions[row]), state = {};
    for (int64_t p = 0; p <= positions[row]; ++p) {
      Vector key, value;
      for (int64_t d = 0; d < fake::headDim; ++d) {
        key[d] = page(keys, sequence, p)[d * pageTokens + p % pageTokens];
        value[d] =
            page(values, sequence, p)[p % pageTokens * fake::headDim + d];
      }
      addAttended(state, query, key, value);
    }
    for (int64_t v = 0; v < fake::vocabulary; ++v)
      logits[j * fake::logitsStride + v] =
          tokens[row] == fake::poison
              ? std::nanf("")
              : logit(state, table, scales + row * fake::adapters, v);
  }
}

//===----------------------------------------------------------------------===//
// Its artefact
//===----------------------------------------------------------------------===//

ModelInfo fake::info() {
  ModelInfo info;
  info.name = "fake";
  info.architecture = "llama";
  info.parameters = vocabulary * headDim;
  info.weightsType = info.kvType = "f32";
  info.vocabulary = vocabulary;
  info.logitsStride = logitsStride;
  info.context = pagesPerSequence * pageTokens;
  info.layers = info.kvHeads = 1;
  info.headDim = headDim;
  info.keyPageBytes = info.valuePageBytes = pageFloats * sizeof(float);
  info.maxRows = 24;
  info.maxSequences = 4;
  info.pagesPerSequence = pagesPerSequence;
  info.adapters = {{"plus", 1, 8, 7, 100, 1000, 4000},
                   {"minus", 0.5f, 4, 7, 50, 500, 2000},
                   {"third", 1, 4, 7, 50, 500, 2000}};
  info.bank = {panelRows, {{site, siteIn, siteOut, 1}}};
  info.eos = {2};
  info.targetCpu = "x86-64";
  info.sizes = {{"weights", vocabulary * headDim * 4}};
  return info;
}

void fake::write(const std::string &path, const ModelInfo &info,
                 std::string_view prefix, std::string_view tokenizer,
                 bool executable) {
  NewFile file(path, executable);
  file.write(prefix);
  ArtefactWriter writer(file);
  std::vector<float> table = parameters();
  size_t bytes = table.size() * sizeof(float);
  size_t start = writer.reserveParameters(bytes);
  if (::pwrite(file.descriptor(), table.data(), bytes,
               static_cast<off_t>(start)) != static_cast<ssize_t>(bytes))
    std::abort();
  writer.finish(toJson(info), std::as_bytes(std::span(tokenizer)));
  file.commit();
}
