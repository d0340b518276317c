// tocsin assess FACTS: facts → severity and duties with their due times.
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "engine/app/cli.hpp"
#include "rules/base/text.hpp"
#include "rules/law/assess.hpp"

namespace tocsin::engine {
namespace {

namespace law = rules::law;
namespace json = boost::json;

struct Options {
  std::string facts;
  std::vector<std::string> laws;
  bool json = false;
};

Result<std::string> read_input(const std::string& path) {
  if (path == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::kNotFound, "cannot be read", path);
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

json::value time_or_null(const std::optional<Time>& time) {
  return time ? json::value(format_rfc3339(*time)) : json::value(nullptr);
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(to_utf8(text)); }

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& text : list) out.emplace_back(to_utf8(text));
  return out;
}

json::object severity_json(const law::Severity& s, const law::Pack& pack) {
  return {{"method", pack.severity.method},
          {"citation", pack.severity.citation},
          {"band", name(s.band)},
          {"could_reach", name(s.could_reach)},
          {"score", {{"least", s.least / 4.0}, {"most", s.most / 4.0}}},
          {"processing_context", {{"least", s.dpc_least}, {"most", s.dpc_most}}},
          {"identification", {{"least", s.ei4_least / 4.0}, {"most", s.ei4_most / 4.0}}},
          {"circumstances", {{"least", s.circumstances_least / 4.0}, {"most", s.circumstances_most / 4.0}}},
          {"over_100_people", s.over_100_people},
          {"unintelligible", name(s.unintelligible)},
          {"reasons", texts(s.reasons)},
          {"unknown_facts", texts(s.unknown_facts)}};
}

json::object duty_json(const law::Duty& duty, const law::Pack& pack) {
  const law::Row& row = *duty.row;
  std::vector<std::string> questions;
  for (const auto& fact : duty.unknown_facts) questions.push_back(pack.question(fact));
  json::array content;
  for (const auto& element : row.content) content.push_back(json::object{{"id", element.id}, {"text", element.text}, {"citation", element.citation}});
  return {{"id", row.id},
          {"law", row.law},
          {"title", row.title},
          {"citation", row.citation},
          {"quote", row.quote},
          {"source_url", row.source_url},
          {"towards", row.towards},
          {"applies", name(duty.applies)},
          {"why", to_utf8(duty.why)},
          {"unknown_facts", texts(duty.unknown_facts)},
          {"decisive_facts", texts(duty.decisive_facts)},
          {"questions", texts(questions)},
          {"exemption", text_or_null(duty.exemption)},
          {"instead", text_or_null(duty.instead)},
          {"anchor", text_or_null(duty.anchor)},
          {"anchored_at", time_or_null(duty.anchored_at)},
          {"due", time_or_null(duty.due)},
          {"limit", time_or_null(duty.limit)},
          {"soft", text_or_null(row.soft)},
          {"late", text_or_null(row.late)},
          {"content", std::move(content)},
          {"confidence", row.confidence},
          {"verification", row.verification()}};
}

void print_text(const law::Assessment& a, const law::Pack& pack) {
  const law::Severity& s = a.severity;
  std::printf("Severity (%s): %s", pack.severity.method.c_str(), std::string(name(s.band)).c_str());
  if (s.could_reach != s.band) std::printf(", could reach %s", std::string(name(s.could_reach)).c_str());
  std::printf("; score %.2f to %.2f. It is one input beside the legal test.\n", s.least / 4.0, s.most / 4.0);
  for (const auto& reason : s.reasons) std::printf("  because  %s\n", printable(reason).c_str());
  for (const auto& fact : s.unknown_facts) std::printf("  open     %s\n", printable(pack.question(fact)).c_str());
  for (const auto& duty : a.duties) {
    const law::Row& row = *duty.row;
    std::printf("\n%-8s %s (%s, towards: %s)\n", std::string(name(duty.applies)).c_str(), row.title.c_str(), row.citation.c_str(), row.towards.c_str());
    std::printf("  why      %s\n", printable(duty.why).c_str());
    if (!duty.instead.empty()) std::printf("  instead  %s\n", printable(duty.instead).c_str());
    if (duty.due) std::printf("  due      %s, last moment %s\n", format_rfc3339(*duty.due).c_str(), format_rfc3339(*duty.limit).c_str());
    if (!row.soft.empty() && duty.applies != law::Tri::kNo) std::printf("  when     %s\n", row.soft.c_str());
    for (const auto& fact : duty.decisive_facts) {
      std::printf("  ask      %s\n", printable(pack.question(fact)).c_str());
    }
    if (duty.applies != law::Tri::kNo) {
      for (const auto& element : row.content) std::printf("  say      %s (%s)\n", element.text.c_str(), element.citation.c_str());
    }
    std::printf("  source   confidence %s; %s\n", row.confidence.c_str(), row.verification().c_str());
  }
}

int run(const Options& options) {
  std::vector<law::Source> sources(law::built_in_sources().begin(), law::built_in_sources().end());
  for (const auto& path : options.laws) {
    auto text = read_input(path);
    if (!text) return report(text.error());
    sources.push_back({path, std::move(*text)});
  }
  const auto pack = law::load(sources);
  if (!pack) return report(pack.error());
  const auto document = read_input(options.facts);
  if (!document) return report(document.error());
  const auto facts = law::read_facts(*document, options.facts);
  if (!facts) return report(facts.error());
  // A fact that no law asks about is most likely a slip of the pen.
  for (const auto& [fact, value] : facts->answers) {
    if (!pack->facts.contains(fact)) std::fprintf(stderr, "tocsin: %s: no law asks about '%s'; it is not used\n", options.facts.c_str(), printable(fact, 60).c_str());
  }
  const law::Assessment assessment = law::assess(*facts, *pack);
  if (!options.json) {
    print_text(assessment, *pack);
    return kAllWell;
  }
  json::array duties;
  for (const auto& duty : assessment.duties) duties.push_back(duty_json(duty, *pack));
  const json::object out{{"severity", severity_json(assessment.severity, *pack)},
                         {"earliest_due", time_or_null(assessment.earliest_due())},
                         {"duties", std::move(duties)}};
  std::printf("%s\n", json::serialize(out).c_str());
  return kAllWell;
}

}  // namespace

void add_assess(CLI::App& app, Context& context) {
  CLI::App* assess = app.add_subcommand("assess", "facts of an incident → severity and duties with due times");
  auto options = std::make_shared<Options>();
  assess->add_option("FACTS", options->facts, "facts document, YAML or JSON; - is standard input")->required()->type_name("FILE");
  assess->add_option("--law", options->laws, "more laws (may be given several times)")->type_name("FILE");
  assess->add_flag("--json", options->json, "one JSON object");
  assess->footer("No duty shown here is legal advice; each says how far its text has been verified.");
  assess->callback([options, &context] { context.exit_status = run(*options); });
}

}  // namespace tocsin::engine
