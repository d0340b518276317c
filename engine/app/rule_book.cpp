// Loading, comparing, swapping. The set is immutable once made, so whoever holds one goes on with it undisturbed.
#include "engine/app/rule_book.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/base/embedded.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

// The data-access pack, built into the program (rules/packs/data-access).
std::span<const EmbeddedFile> embedded_data_access();

namespace {

namespace sigma = rules::sigma;

constexpr std::string_view kBuiltIn = "built in: ";  // before the names of embedded files, which no path begins with

std::string refusal_key(const sigma::Report& report) {
  const std::string& code = report.remarks.empty() ? report.title : report.remarks.front().code;
  return report.file + ": " + report.title + ": " + code;
}

std::string refusal_text(const sigma::Report& report) {
  std::string out = report.file + ":" + std::to_string(report.line) + ": rule '" + report.title + "' refused";
  if (report.remarks.empty()) return out;
  const sigma::Remark& remark = report.remarks.front();
  return printable(out + ": " + remark.message + (remark.remedy.empty() ? "" : " (" + remark.remedy + ")"), 1000);
}

}  // namespace

Result<RuleBook::Set> RuleBook::read() const {
  std::vector<sigma::RuleSource> sources;
  for (const EmbeddedFile& file : embedded_data_access()) sources.push_back({std::string(kBuiltIn) + std::string(file.name), std::string(file.text)});
  const std::vector<std::filesystem::path> paths(paths_.begin(), paths_.end());
  if (!paths.empty()) {
    auto files = sigma::read_rule_files(paths);
    if (!files) return pass(std::move(files));
    std::move(files->begin(), files->end(), std::back_inserter(sources));
  }
  sigma::LoadOptions options;
  std::string all;
  if (!placeholders_.empty()) {
    std::ifstream in(placeholders_, std::ios::binary);
    if (!in) return fail(Errc::kIo, "the placeholder table cannot be read", placeholders_, "check that it exists and may be read");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    auto tables = sigma::parse_placeholders(text, placeholders_);
    if (!tables) return pass(std::move(tables));
    options.placeholders = std::move(*tables);
    all += text;
  }
  for (const sigma::RuleSource& source : sources) all += '\0' + source.name + '\0' + source.text;
  Set set;
  set.loaded = sigma::load(sources, options);
  for (const sigma::Report& report : set.loaded.reports) {
    if (report.status == sigma::Status::kRejected) set.refusals.insert(refusal_key(report));
  }
  set.content.rules = set.loaded.engine->rules().size();
  set.content.correlations = set.loaded.engine->correlations().size();
  set.content.refused = set.loaded.count(sigma::Status::kRejected);
  set.content.sha256 = to_hex(sha256(all));
  return set;
}

void RuleBook::tell_refused(const Set& set, const Tell& tell) {
  for (const sigma::Report& report : set.loaded.reports) {
    if (report.status == sigma::Status::kRejected) tell(refusal_text(report));
  }
}

Result<std::unique_ptr<RuleBook>> RuleBook::open(const Config& config, const Tell& tell) {
  std::unique_ptr<RuleBook> book(new RuleBook(config));
  auto set = book->read();
  if (!set) return pass(std::move(set));
  tell_refused(*set, tell);
  book->set_ = std::make_shared<const Set>(std::move(*set));
  return book;
}

Result<RuleBook::Content> RuleBook::reload(const Tell& tell) {
  auto set = read();
  if (!set) return pass(std::move(set));
  const std::lock_guard lock(mutex_);
  for (const sigma::Report& report : set->loaded.reports) {
    if (report.status != sigma::Status::kRejected || set_->refusals.contains(refusal_key(report))) continue;
    return fail(Errc::kInvalid, "the new rules are not taken: " + refusal_text(report), report.file,
                "mend the rule and load again; the rules from before stay in use ('tocsin rules check' shows all that is wrong)");
  }
  tell_refused(*set, tell);
  set_ = std::make_shared<const Set>(std::move(*set));
  return set_->content;
}

std::shared_ptr<const sigma::Engine> RuleBook::engine() const {
  const std::lock_guard lock(mutex_);
  return set_->loaded.engine;
}

RuleBook::Content RuleBook::content() const {
  const std::lock_guard lock(mutex_);
  return set_->content;
}

std::string RuleBook::pack_of(const sigma::Description& rule) {
  if (!rule.file.starts_with(kBuiltIn)) return std::filesystem::path(rule.file).filename().string();
  return std::filesystem::path(rule.file.substr(kBuiltIn.size())).parent_path().string();
}

}  // namespace tocsin::engine
