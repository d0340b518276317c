// Running the samples of a pack.
#include "rules/sigma/pack.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/json_event.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;

struct Counts {
  std::size_t must = 0;
  std::size_t must_not = 0;
};

class PackTest {
 public:
  PackTest(const Engine& engine, PackReport& report) : engine_(engine), report_(report) {
    for (const CompiledRule& rule : engine.rules()) by_file_[rule.rule->file].push_back(rule.rule.get());
  }

  void run() {
    for (const auto& [file, rules] : by_file_) {
      const fs::path samples = samples_of(file);
      std::ifstream in(samples, std::ios::binary);
      std::string line;
      int number = 0;
      counts_.clear();
      while (std::getline(in, line)) {
        ++number;
        if (!trim(line).empty()) run_sample(line, samples.string(), number, rules);
      }
      for (const Rule* rule : rules) {
        const Counts counts = counts_[rule];
        if (counts.must > 0 && counts.must_not > 0) continue;
        mistake(file, rule->line, *rule,
                counts.must == 0 && counts.must_not == 0 ? "the rule has no samples; it needs one that must match and one that must not, in " + samples.filename().string()
                : counts.must == 0                       ? "the rule has no sample that must match"
                                                         : "the rule has no sample that must not match");
      }
    }
  }

 private:
  static fs::path samples_of(const fs::path& rule_file) {
    fs::path path = rule_file;
    path.replace_extension(".samples.ndjson");
    return path;
  }

  void mistake(const std::string& file, int line, const Rule& rule, std::string message) {
    report_.mistakes.push_back(PackMistake{file, line, rule.key(), std::move(message)});
  }

  static std::string_view text_of(const Value& value) {
    return value.kind() == Kind::kString ? value.as_string() : std::string_view();
  }

  void run_sample(const std::string& line, const std::string& file, int number, const std::vector<const Rule*>& rules) {
    ++report_.samples;
    const Rule* rule = rules.front();
    arena_.reset();
    const auto sample = parse_json(line, arena_);
    if (!sample) return mistake(file, number, *rule, "the sample is not one JSON object: " + sample.error().message);
    if (const Value named = sample->get("rule"); named.present()) {
      const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule* r) { return r->key() == text_of(named); });
      if (found == rules.end()) return mistake(file, number, *rule, "the sample names a rule that the file beside it does not hold");
      rule = *found;
    } else if (rules.size() > 1) {
      return mistake(file, number, *rule, "the file holds several rules, so each sample must name its own: \"rule\": \"id\"");
    }
    const Value match = sample->get("match");
    const Value root = sample->get("event");
    const Value raw = sample->get("raw");
    if (match.kind() != Kind::kBool || (root.kind() != Kind::kObject && raw.kind() != Kind::kString)) {
      return mistake(file, number, *rule, "a sample needs \"match\": true or false, and an \"event\" object or a \"raw\" line");
    }
    Event event;
    event.root = root;
    event.raw = raw.kind() == Kind::kString ? raw.as_string() : std::string_view(line);
    const Value source = sample->get("source");
    event.source = source.present() ? LogSource{text_of(source.get("product")), text_of(source.get("category")), text_of(source.get("service"))}
                                    : LogSource{rule->product, rule->category, rule->service};
    matches_.clear();
    engine_.match(event, matches_);
    const bool matched = std::any_of(matches_.begin(), matches_.end(), [&](const Match& m) { return m.rule == rule; });
    ++(match.as_bool() ? counts_[rule].must : counts_[rule].must_not);
    const std::string name = printable(text_of(sample->get("name")), 120);
    if (matched != match.as_bool()) {
      std::string why;
      if (matched) {
        for (const Reason& reason : engine_.explain(event, *rule)) why += (why.empty() ? ": " : ", ") + reason.test;
      }
      return mistake(file, number, *rule, (matched ? "matches, but must not" : "does not match, but must") + (name.empty() ? "" : " (" + name + ")") + why);
    }
    if (matched && engine_.explain(event, *rule).empty()) mistake(file, number, *rule, "matches without any reason to show");
  }

  const Engine& engine_;
  PackReport& report_;
  Arena arena_;
  std::vector<Match> matches_;
  std::map<std::string, std::vector<const Rule*>> by_file_;
  std::map<const Rule*, Counts> counts_;
};

}  // namespace

Result<PackReport> test_pack(const fs::path& folder, const LoadOptions& options) {
  const auto sources = read_rule_files({&folder, 1});
  if (!sources) return tl::unexpected(sources.error());
  const Loaded loaded = load(*sources, options);
  PackReport report;
  report.rules = loaded.engine->rules().size();
  for (const Report& one : loaded.reports) {
    if (one.status == Status::kRejected) report.refused.push_back(one);
  }
  PackTest(*loaded.engine, report).run();
  return report;
}

}  // namespace tocsin::rules::sigma
