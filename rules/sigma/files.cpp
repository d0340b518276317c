// Reading rule files and placeholder tables from disk.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/yaml.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;

bool is_rule_file(const fs::path& path) {
  const std::string extension = to_lower(path.extension().string());
  return (extension == ".yml" || extension == ".yaml") && !is_pack_description(path.generic_string());
}

Result<RuleSource> read_file(const fs::path& path) {
  std::error_code ec;
  const auto size = fs::file_size(path, ec);
  if (!ec && size > kMaxRuleFileBytes) {
    return fail(Errc::kTooLarge, "the rule file is larger than 64 MiB", path.string(), "split it");
  }
  std::ifstream in(path, std::ios::binary);
  RuleSource source;
  source.name = path.string();
  source.text.assign(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) {
    return fail(Errc::kIo, "the rule file cannot be read", path.string(), "check that it exists and may be read");
  }
  return source;
}

}  // namespace

Result<std::vector<RuleSource>> read_rule_files(std::span<const fs::path> paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (!fs::exists(status)) {
      return fail(Errc::kNotFound, "there is no such file or folder", path.string(), "check the path");
    }
    if (!fs::is_directory(status)) {
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> found;
    fs::recursive_directory_iterator walk(path, fs::directory_options::skip_permission_denied, ec);
    for (; !ec && walk != fs::recursive_directory_iterator(); walk.increment(ec)) {
      std::error_code ignored;
      if (is_rule_file(walk->path()) && walk->is_regular_file(ignored)) found.push_back(walk->path());
    }
    if (ec) return fail(Errc::kIo, "the folder cannot be read: " + ec.message(), path.string());
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  std::vector<RuleSource> sources;
  std::set<fs::path> seen;
  for (const fs::path& file : files) {
    std::error_code ec;
    const fs::path itself = fs::canonical(file, ec);
    if (!ec && !seen.insert(itself).second) continue;  // named twice, or by itself and by its folder
    auto source = read_file(file);
    if (!source) return pass(std::move(source));
    sources.push_back(std::move(*source));
  }
  return sources;
}

Result<Placeholders> parse_placeholders(std::string_view yaml, std::string_view file) {
  const auto wrong = [&](int line, std::string message) {
    return fail(Errc::kInvalid, std::move(message), std::string(file) + ":" + std::to_string(line), "write a map: 'name: [value, value]'");
  };
  using Kind = YamlNode::Kind;
  Remark refusal;
  const auto document = read_yaml(yaml, 1, refusal);
  if (document == nullptr) return wrong(refusal.line, refusal.message);
  Placeholders tables;
  const YamlNode* const root = document->root;
  if (root == nullptr || root->is(Kind::kNull)) return tables;
  if (!root->is(Kind::kMap)) return wrong(root->line, "the placeholder table is not a map");
  for (std::size_t i = 0; i + 1 < root->items.size(); i += 2) {
    const YamlNode& name = *root->items[i];
    const YamlNode& value = *root->items[i + 1];
    if (!name.is(Kind::kScalar)) return wrong(name.line, "the name of a placeholder is not text");
    std::vector<std::string>& values = tables[name.text];
    if (value.is(Kind::kScalar)) {
      values.push_back(value.text);
    } else if (value.is(Kind::kList)) {
      for (const YamlNode* const item : value.items) {
        if (!item->is(Kind::kScalar)) return wrong(item->line, "a value of a placeholder is not text");
        values.push_back(item->text);
      }
    } else {
      return wrong(value.line, "a placeholder has no values");
    }
  }
  return tables;
}

}  // namespace tocsin::rules::sigma
