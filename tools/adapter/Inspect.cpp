// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Inspect.h"
#include "runtime/formats/ContentHash.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

using namespace lori;

AdapterSummary lori::summarize(const AdapterInput &adapter) {
  AdapterSummary summary;
  summary.path = adapter.path();
  summary.form = adapter.pack() ? "pack" : "PEFT directory";
  summary.base = adapter.peftConfig().baseModel();
  if (adapter.pack())
    summary.baseFingerprint = adapter.pack()->baseFingerprint();
  summary.bytes = adapter.file().file().bytes().size();
  for (const AdapterModule &m : adapter.modules()) {
    int64_t nonzeros = m.b.entries() - m.zeros;
    summary.modules.push_back({m.module.path, m.module.in, m.module.out, m.rank,
                               m.scaling,
                               std::string(storageTypeName(m.a.type)),
                               std::string(storageTypeName(m.b.type)), nonzeros,
                               ContentHash::of(adapter.bytesOfA(m))});
    summary.entriesOfA += m.a.entries();
    summary.entriesOfB += m.b.entries();
    summary.nonzerosOfB += nonzeros;
  }
  for (const StoredTensor *tensor : adapter.wholeTensors())
    summary.wholeTensors.push_back(tensor->name);
  return summary;
}

[[gnu::format(printf, 2, 3)]] static void append(std::string &out,
                                                 const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  out += line;
}

namespace {

/// The modules of one kind of projection together.
struct Kind {
  std::string name;
  int64_t count = 0, leastRank = 0, mostRank = 0, entries = 0, nonzeros = 0;
  double leastDensity = 1, mostDensity = 0;
};

} // namespace

static std::vector<Kind> kindsOf(const AdapterSummary &summary) {
  std::vector<Kind> kinds;
  for (const AdapterSummary::Module &module : summary.modules) {
    std::string name = module.path.substr(module.path.rfind('.') + 1);
    auto kind = std::ranges::find(kinds, name, &Kind::name);
    if (kind == kinds.end()) {
      kinds.push_back({name});
      kind = kinds.end() - 1;
      kind->leastRank = module.rank;
    }
    int64_t entries = module.out * module.rank;
    double density = entries == 0 ? 0
                                  : static_cast<double>(module.nonzeros) /
                                        static_cast<double>(entries);
    ++kind->count;
    kind->leastRank = std::min(kind->leastRank, module.rank);
    kind->mostRank = std::max(kind->mostRank, module.rank);
    kind->entries += entries;
    kind->nonzeros += module.nonzeros;
    kind->leastDensity = std::min(kind->leastDensity, density);
    kind->mostDensity = std::max(kind->mostDensity, density);
  }
  return kinds;
}

static std::string rangeText(int64_t least, int64_t most) {
  return least == most ? std::to_string(least)
                       : std::to_string(least) + "-" + std::to_string(most);
}

std::string lori::summaryText(const AdapterSummary &s) {
  std::string out = s.path + ": " + s.form + ", for " +
                    (s.base.empty() ? "an unnamed base" : s.base) + "\n";
  append(out,
         "  %zu modules, A %lld entries, B %lld entries of which %lld are not "
         "0 (%.2f %%), %llu bytes\n",
         s.modules.size(), static_cast<long long>(s.entriesOfA),
         static_cast<long long>(s.entriesOfB),
         static_cast<long long>(s.nonzerosOfB), 100 * s.density(),
         static_cast<unsigned long long>(s.bytes));
  if (!s.baseFingerprint.empty())
    out += "  packed for the base " + s.baseFingerprint + "\n";
  for (const std::string &name : s.wholeTensors)
    out += "  carries '" + name + "' in full\n";
  append(out, "  %-14s %7s %9s %9s  %s\n", "projection", "modules", "rank",
         "density", "least-most in one matrix");
  for (const Kind &kind : kindsOf(s))
    append(out, "  %-14s %7lld %9s %8.2f%%  %.2f-%.2f%%\n", kind.name.c_str(),
           static_cast<long long>(kind.count),
           rangeText(kind.leastRank, kind.mostRank).c_str(),
           kind.entries == 0 ? 0.0
                             : 100.0 * static_cast<double>(kind.nonzeros) /
                                   static_cast<double>(kind.entries),
           100 * kind.leastDensity, 100 * kind.mostDensity);
  return out;
}

JsonValue lori::summaryJson(const AdapterSummary &s) {
  JsonValue::Array modules, wholes;
  for (const AdapterSummary::Module &m : s.modules)
    modules.emplace_back(
        JsonValue::Object{{"path", JsonValue(m.path)},
                          {"in", JsonValue(m.in)},
                          {"out", JsonValue(m.out)},
                          {"rank", JsonValue(m.rank)},
                          {"scaling", JsonValue(m.scaling)},
                          {"a_type", JsonValue(m.typeOfA)},
                          {"b_type", JsonValue(m.typeOfB)},
                          {"b_nonzeros", JsonValue(m.nonzeros)},
                          {"a_hash", JsonValue(m.hashOfA)}});
  for (const std::string &name : s.wholeTensors)
    wholes.emplace_back(name);
  return JsonValue(
      JsonValue::Object{{"path", JsonValue(s.path)},
                        {"form", JsonValue(s.form)},
                        {"base", JsonValue(s.base)},
                        {"base_fingerprint", JsonValue(s.baseFingerprint)},
                        {"bytes", JsonValue(static_cast<int64_t>(s.bytes))},
                        {"a_entries", JsonValue(s.entriesOfA)},
                        {"b_entries", JsonValue(s.entriesOfB)},
                        {"b_nonzeros", JsonValue(s.nonzerosOfB)},
                        {"whole_tensors", JsonValue(std::move(wholes))},
                        {"modules", JsonValue(std::move(modules))}});
}
