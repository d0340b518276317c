// From rules/law's words to the store's.
#include "engine/respond/counsel.hpp"

#include <boost/json.hpp>

#include "rules/law/assess.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;
namespace law = rules::law;

std::string array_text(std::span<const std::string> texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return json::serialize(out);
}

storage::DutyState state_for(law::Tri applies) {
  switch (applies) {
    case law::Tri::kYes: return storage::DutyState::kRunning;
    case law::Tri::kNo: return storage::DutyState::kNotApplicable;
    case law::Tri::kUnknown: break;
  }
  return storage::DutyState::kUnknown;
}

storage::Duty to_duty(const law::Duty& duty) {
  const law::Row& row = *duty.row;
  storage::Duty out;
  out.key = row.id;
  out.law = row.law;
  out.title = row.title;
  out.citation = row.citation;
  out.towards = row.towards;
  out.anchor = duty.anchor;
  out.due = duty.due;
  out.limit = duty.limit;
  out.soft = row.soft;
  out.state = state_for(duty.applies);
  out.assessed = law::name(duty.applies);
  out.why = duty.why;
  if (!duty.instead.empty()) out.why += " Instead: " + duty.instead;
  out.unknown_facts = array_text(duty.unknown_facts);
  json::array content;
  for (const law::Content& item : row.content) content.emplace_back(item.text);
  out.content = json::serialize(content);
  out.confidence = row.confidence;
  out.verification = row.verification();
  return out;
}

// A clause as a sentence.
void add_sentence(std::string& out, std::string_view clause) {
  if (clause.empty()) return;
  if (!out.empty()) out += ' ';
  const std::size_t begin = out.size();
  out += clause;
  if (out[begin] >= 'a' && out[begin] <= 'z') out[begin] = static_cast<char>(out[begin] - 'a' + 'A');
  if (out.back() != '.' && out.back() != '!' && out.back() != '?') out += '.';
}

std::string reason_for(const law::Severity& severity) {
  std::string out;
  for (const std::string& reason : severity.reasons) add_sentence(out, reason);
  if (severity.could_reach > severity.band) {
    add_sentence(out, "it could reach " + std::string(law::name(severity.could_reach)) +
                          ", depending on what is not known yet");
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<LawCounsel>> LawCounsel::built_in() {
  auto pack = law::load_built_in();
  if (!pack) return pass(std::move(pack));
  auto playbook = law::load_built_in_playbook();
  if (!playbook) return pass(std::move(playbook));
  return std::make_unique<LawCounsel>(std::move(*pack), std::move(*playbook));
}

LawCounsel::LawCounsel(law::Pack pack, law::Playbook playbook) : pack_(std::move(pack)), playbook_(std::move(playbook)) {
  for (const auto& [name, definition] : pack_.facts) questions_.push_back({name, definition.ask, definition.help});
}

Result<Assessed> LawCounsel::assess(std::string_view document) const {
  auto facts = law::read_facts(document, "the facts");
  if (!facts) return pass(std::move(facts));
  const law::Assessment assessment = law::assess(*facts, pack_);
  Assessed out;
  out.severity = law::name(assessment.severity.band);
  out.severity_reason = reason_for(assessment.severity);
  for (const law::Duty& duty : assessment.duties) out.duties.push_back(to_duty(duty));
  return out;
}

}  // namespace tocsin::engine
