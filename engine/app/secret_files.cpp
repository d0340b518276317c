// Whole files into memory, each under its limit; the errors name the file.
#include "engine/app/secret_files.hpp"

#include <fstream>
#include <iterator>

namespace tocsin::engine {
namespace {

namespace secrets = rules::secrets;

Result<std::string> read_whole(const std::string& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::kNotFound, "cannot be read", path, "check that the file exists and that tocsin may read it");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return fail(Errc::kIo, "cannot be read", path);
  if (text.size() > limit) return fail(Errc::kTooLarge, "is larger than " + std::to_string(limit) + " bytes", path);
  return text;
}

Result<secrets::RuleFile> with_base(const std::string& path, const std::string& default_rules, int depth) {
  auto text = read_whole(path, secrets::Scanner::kMaxRuleFile);
  if (!text) return pass(std::move(text));
  secrets::RuleFile file{path, std::move(*text)};
  const auto extends = secrets::rule_file_extends(file);
  if (!extends || depth >= secrets::kMaxExtendDepth) return file;
  const std::string& next = extends->path.empty() ? default_rules : extends->path;
  if (next.empty()) return fail(Errc::kInvalid, "extends the default rules: name gitleaks' own file (scan: --default-rules, configuration: rules.secret_default_rules)", path);
  auto base = with_base(next, default_rules, depth + 1);
  if (!base) return base;
  file.base = std::make_shared<const secrets::RuleFile>(std::move(*base));
  return file;
}

}  // namespace

Result<secrets::RuleFile> read_secret_rules(const std::string& path, const std::string& default_rules) { return with_base(path, default_rules, 0); }

Result<std::shared_ptr<const secrets::TokenMeasure>> read_token_measure(const std::string& tokens, const std::string& words) {
  if (tokens.empty()) return std::shared_ptr<const secrets::TokenMeasure>();
  auto vocabulary = read_whole(tokens, secrets::TokenMeasure::kMaxFile);
  if (!vocabulary) return pass(std::move(vocabulary));
  std::string list;
  if (!words.empty()) {
    auto text = read_whole(words, secrets::TokenMeasure::kMaxFile);
    if (!text) return pass(std::move(text));
    list = std::move(*text);
  }
  auto measure = secrets::TokenMeasure::read(*vocabulary, list);
  if (!measure) return fail(measure.error().code, measure.error().message, tokens);
  return std::make_shared<const secrets::TokenMeasure>(std::move(*measure));
}

}  // namespace tocsin::engine
