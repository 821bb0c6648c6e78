// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/ModelInfo.h"
#include "runtime/engine/StepAbi.h"
#include "runtime/support/Error.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

using namespace lori;
using Json = nlohmann::ordered_json;

static constexpr int64_t formatVersion = 1;
static constexpr int64_t int32Max = std::numeric_limits<int32_t>::max();

// Far above any real model; they keep damaged metadata from asking for all
// memory.
static constexpr int64_t maxPageTable = int64_t(1) << 26;
static constexpr int64_t maxScaleTable = int64_t(1) << 26;
static constexpr int64_t maxSiteSize = int64_t(1) << 24;
static constexpr int64_t maxSiteLayers = int64_t(1) << 16;
static constexpr size_t maxSites = size_t(1) << 10;
static constexpr int64_t maxPageBytes = int64_t(1) << 31;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Json toJson(const AdapterInfo &adapter) {
  return {{"name", adapter.name},         {"scale", adapter.scale},
          {"rank", adapter.rank},         {"modules", adapter.modules},
          {"nonzeros", adapter.nonzeros}, {"entries", adapter.entries},
          {"bytes", adapter.bytes}};
}

static Json toJson(const BankInfo &bank) {
  Json sites = Json::array();
  for (const BankSite &site : bank.sites)
    sites.push_back({{"target", site.target},
                     {"in", site.in},
                     {"out", site.out},
                     {"layers", site.layers}});
  return {{"panel_rows", bank.panelRows}, {"sites", sites}};
}

std::string lori::toJson(const ModelInfo &info) {
  Json json;
  json["format"] = formatVersion;
  json["name"] = info.name;
  json["architecture"] = info.architecture;
  json["parameters"] = info.parameters;
  json["weights_type"] = info.weightsType;
  json["vocab_size"] = info.vocabulary;
  json["logits_stride"] = info.logitsStride;
  json["context"] = info.context;
  json["layers"] = info.layers;
  json["kv_heads"] = info.kvHeads;
  json["head_dim"] = info.headDim;
  json["kv_type"] = info.kvType;
  json["key_page_bytes"] = info.keyPageBytes;
  json["value_page_bytes"] = info.valuePageBytes;
  json["max_rows"] = info.maxRows;
  json["max_sequences"] = info.maxSequences;
  json["pages_per_sequence"] = info.pagesPerSequence;
  json["adapters"] = Json::array();
  for (const AdapterInfo &adapter : info.adapters)
    json["adapters"].push_back(::toJson(adapter));
  json["bank"] = ::toJson(info.bank);
  json["fused"] = info.fused;
  json["bos"] = info.bos ? Json(*info.bos) : Json();
  json["add_bos"] = info.addBos;
  json["eos"] = info.eos;
  json["chat_template"] = info.chatTemplate ? Json(*info.chatTemplate) : Json();
  json["bos_token"] = info.bosToken;
  json["eos_token"] = info.eosToken;
  json["cpu_features"] = info.cpuFeatures;
  json["target_cpu"] = info.targetCpu;
  json["sizes"] = Json::object();
  for (const auto &[part, bytes] : info.sizes)
    json["sizes"][part] = bytes;
  // Names of files may hold any bytes; they are for display only.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Typed access to the fields of one object, with one kind of message.
class Fields {
public:
  Fields(const Json &object, const std::string &file, std::string path = "")
      : object(object), file(file), path(std::move(path)) {
    if (!object.is_object())
      fail(this->path.empty() ? "it" : this->path, "an object");
  }

  [[noreturn]] void fail(const std::string &what, const std::string &is) const {
    throw Error(file, "the model's metadata is not usable: " + what +
                          " must be " + is + ", compile the model again");
  }

  const Json &get(const char *key) const {
    auto found = object.find(key);
    if (found == object.end())
      fail(path + key, "there");
    return *found;
  }

  int64_t integer(const char *key, int64_t low, int64_t high) const {
    return integer(get(key), key, low, high);
  }
  int64_t integer(const Json &value, const char *key, int64_t low,
                  int64_t high) const {
    // Unsigned numbers above int64 turn negative and are refused with them.
    if (value.is_number_integer())
      if (auto number = value.get<int64_t>(); number >= low && number <= high)
        return number;
    fail(path + key, "an integer from " + std::to_string(low) + " to " +
                         std::to_string(high));
  }

  float number(const char *key) const {
    const Json &value = get(key);
    if (value.is_number())
      if (auto number = value.get<float>(); std::isfinite(number))
        return number;
    fail(path + key, "a finite number");
  }

  bool boolean(const char *key) const {
    if (!get(key).is_boolean())
      fail(path + key, "true or false");
    return get(key).get<bool>();
  }

  std::string string(const char *key) const { return string(get(key), key); }
  std::string string(const Json &value, const char *key) const {
    if (!value.is_string())
      fail(path + key, "a string");
    return value.get<std::string>();
  }

  const Json &array(const char *key) const {
    if (!get(key).is_array())
      fail(path + key, "an array");
    return get(key);
  }

  std::vector<std::string> strings(const char *key) const {
    std::vector<std::string> values;
    for (const Json &value : array(key))
      values.push_back(string(value, key));
    return values;
  }

private:
  const Json &object;
  const std::string &file;
  std::string path;
};

} // namespace

static AdapterInfo readAdapter(const Fields &fields) {
  AdapterInfo adapter;
  adapter.name = fields.string("name");
  if (adapter.name.empty())
    fields.fail("an adapter's name", "a non-empty string");
  adapter.scale = fields.number("scale");
  adapter.rank = fields.integer("rank", 0, int32Max);
  adapter.modules = fields.integer("modules", 0, int32Max);
  adapter.nonzeros = fields.integer("nonzeros", 0, INT64_MAX);
  adapter.entries = fields.integer("entries", 0, INT64_MAX);
  adapter.bytes = fields.integer("bytes", 0, INT64_MAX);
  return adapter;
}

static void readAdapters(const Fields &fields, const std::string &file,
                         ModelInfo &info) {
  std::set<std::string> names;
  for (const Json &value : fields.array("adapters")) {
    info.adapters.push_back(readAdapter(Fields(value, file, "adapters: ")));
    if (!names.insert(info.adapters.back().name).second)
      fields.fail("the names of adapters", "unique");
  }
  if (static_cast<int64_t>(info.adapters.size()) > maxScaleTable / info.maxRows)
    fields.fail("the number of adapters", "smaller");
  info.fused = fields.strings("fused");
}

static BankInfo readBank(const Fields &fields, const std::string &file) {
  BankInfo bank;
  bank.panelRows = fields.integer("panel_rows", 1, 1 << 10);
  for (const Json &value : fields.array("sites")) {
    Fields site(value, file, "bank: sites: ");
    bank.sites.push_back({site.string("target"),
                          site.integer("in", 1, maxSiteSize),
                          site.integer("out", 1, maxSiteSize),
                          site.integer("layers", 0, maxSiteLayers)});
    bool isStack = bank.sites.back().target.find('*') != std::string::npos;
    if (isStack != (bank.sites.back().layers != 0))
      site.fail("a site in the layers",
                "one with a '*' and a number of layers");
  }
  if (bank.sites.size() > maxSites)
    fields.fail("the number of sites", "smaller");
  return bank;
}

static void readText(const Fields &fields, ModelInfo &info) {
  int64_t last = info.vocabulary - 1;
  auto token = [&](const Json &value, const char *key) {
    return static_cast<int32_t>(fields.integer(value, key, 0, last));
  };
  if (!fields.get("bos").is_null())
    info.bos = token(fields.get("bos"), "bos");
  info.addBos = fields.boolean("add_bos");
  if (info.addBos && !info.bos)
    fields.fail("bos", "a token, since add_bos is true");
  for (const Json &value : fields.array("eos"))
    info.eos.push_back(token(value, "eos"));
  if (!fields.get("chat_template").is_null())
    info.chatTemplate = fields.string("chat_template");
  info.bosToken = fields.string("bos_token");
  info.eosToken = fields.string("eos_token");
}

static void readShape(const Fields &fields, ModelInfo &info) {
  info.parameters = fields.integer("parameters", 0, INT64_MAX);
  info.vocabulary = fields.integer("vocab_size", 1, int32Max);
  info.logitsStride =
      fields.integer("logits_stride", info.vocabulary, int64_t(1) << 32);
  info.context = fields.integer("context", 1, int32Max);
  info.layers = fields.integer("layers", 1, int32Max);
  info.kvHeads = fields.integer("kv_heads", 1, int32Max);
  info.headDim = fields.integer("head_dim", 1, int32Max);
  info.keyPageBytes = fields.integer("key_page_bytes", 1, maxPageBytes);
  info.valuePageBytes = fields.integer("value_page_bytes", 1, maxPageBytes);
  info.maxRows = fields.integer("max_rows", 1, 1 << 16);
  info.maxSequences = fields.integer("max_sequences", 1, 1 << 20);
  int64_t pages = (info.context + LORI_PAGE_TOKENS - 1) / LORI_PAGE_TOKENS;
  info.pagesPerSequence = fields.integer("pages_per_sequence", pages,
                                         maxPageTable / info.maxSequences);
}

ModelInfo lori::parseModelInfo(std::string_view text, const std::string &file) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    throw Error(file, "the model's metadata is not JSON, compile it again");
  Fields fields(json, file);
  fields.integer("format", formatVersion, formatVersion);
  ModelInfo info;
  info.name = fields.string("name");
  info.architecture = fields.string("architecture");
  info.weightsType = fields.string("weights_type");
  info.kvType = fields.string("kv_type");
  info.targetCpu = fields.string("target_cpu");
  readShape(fields, info);
  readAdapters(fields, file, info);
  info.bank = readBank(Fields(fields.get("bank"), file, "bank: "), file);
  readText(fields, info);
  info.cpuFeatures = fields.strings("cpu_features");
  Fields sizes(fields.get("sizes"), file, "sizes: ");
  for (const auto &[part, bytes] : fields.get("sizes").items())
    info.sizes.emplace_back(part,
                            sizes.integer(bytes, part.c_str(), 0, INT64_MAX));
  return info;
}
