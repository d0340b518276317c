// FHIR AuditEvent, R4 and R5: the one common audit format that names the person whose data it was. One resource per
// line, an array, or a Bundle's entries (each {"resource": …}).
#include <algorithm>

#include "engine/intake/factories.hpp"
#include "engine/intake/json_record.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

using rules::Kind;
using rules::Value;

constexpr std::size_t kMaxPatients = 1000;  // of one event

struct Reference {
  std::string_view type, id;
};

// "Patient/42", "https://ehr.example/fhir/Patient/42/_history/3", "Patient?identifier=…" (no id).
Reference parts_of(std::string_view text) {
  if (const std::size_t version = text.find("/_history/"); version != std::string_view::npos) text = text.substr(0, version);
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return {};
  std::string_view type = text.substr(0, slash);
  if (const std::size_t before = type.rfind('/'); before != std::string_view::npos) type = type.substr(before + 1);
  return {type, text.substr(slash + 1)};
}

// The id of a reference: by its reference, else by a logical identifier.
Reference reference_of(const Value& value) {
  Reference out = parts_of(text_of(value.get("reference")));
  if (out.id.empty()) {
    out.type = text_of(value.get("type"));
    out.id = text_of(value.get("identifier").get("value"));
  }
  return out;
}

std::string_view first_code(const Value& concept_or_coding) {
  if (const std::string_view code = text_of(concept_or_coding.get("code")); !code.empty()) return code;
  const Value coding = concept_or_coding.get("coding");
  if (coding.kind() == Kind::kArray && !coding.items().empty()) return text_of(coding.items()[0].get("code"));
  return {};
}

Action action_of(std::string_view action, std::string_view operation) {
  if (operation == "search" || operation == "search-type" || operation == "search-system") return Action::kQuery;
  if (operation == "export") return Action::kExport;
  if (action == "C" || action == "U") return Action::kWrite;
  if (action == "D") return Action::kDelete;
  if (action == "E") return operation == "110122" || operation == "110123" || operation.starts_with("login") ? Action::kAuthenticate : Action::kQuery;
  return Action::kRead;
}

class Fhir final : public Decoder {
 public:
  std::string_view format() const noexcept override { return "fhir-audit"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    auto root = parse_record(record, arena);
    if (!root) return pass(std::move(root));
    const std::string_view type = text_of(root->get("resourceType"));
    if (type == "Bundle") {
      const Value entries = root->get("entry");
      if (entries.kind() != Kind::kArray) return {};
      const std::size_t before = out.size();
      for (const Value& entry : entries.items()) {
        const Value resource = entry.get("resource");
        if (text_of(resource.get("resourceType")) != "AuditEvent") continue;
        if (auto done = one(resource, record, origin, out); !done) {
          out.resize(before);
          return done;
        }
      }
      return {};
    }
    if (type.empty() && root->get("resource").kind() == Kind::kObject) return one(root->get("resource"), record, origin, out);
    return one(*root, record, origin, out);
  }

 private:
  static Result<void> one(const Value& event, std::string_view record, const Origin& origin, std::vector<Decoded>& out) {
    if (text_of(event.get("resourceType")) != "AuditEvent") return fail(Errc::kInvalid, "not a FHIR AuditEvent");
    const auto time = parse_rfc3339(text_of(event.get("recorded")), true);
    if (!time) return fail(Errc::kInvalid, "this AuditEvent has no time in 'recorded'");
    Decoded decoded;
    Access& a = decoded.access;
    a.time = *time;
    a.time_known = true;
    a.origin = origin;
    a.format = "fhir-audit";
    a.event_id = text_of(event.get("id"));
    a.resource.system = "fhir";
    a.resource.store = reference_of(event.get("source").get("observer")).id;
    who(event, a);
    // R4: subtype[]; R5: code.
    std::string_view operation = first_code(event.get("code"));
    if (const Value subtypes = event.get("subtype"); operation.empty() && subtypes.kind() == Kind::kArray && !subtypes.items().empty()) {
      operation = first_code(subtypes.items()[0]);
    }
    if (operation.empty()) operation = first_code(event.get("type"));
    a.operation = operation;
    a.action = action_of(text_of(event.get("action")), operation);
    what(event, a);
    // R4: a code, "0" is success; R5: outcome.code.
    const Value outcome = event.get("outcome");
    const std::string code = outcome.kind() == Kind::kObject ? std::string(first_code(outcome.get("code"))) : scalar_of(outcome);
    const bool good = code.empty() || code == "0" || code == "success" || code == "informational";
    a.outcome = good ? Outcome::kSuccess : Outcome::kFailure;
    if (!good) {
      a.error = text_of(event.get("outcomeDesc"));
      if (a.error.empty()) a.error = "outcome " + code;
    }
    decoded.event.source = {.product = "fhir", .category = {}, .service = "audit"};
    decoded.event.root = event;
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

  // The agent that asked for it is the actor; another one is what it went through.
  static void who(const Value& event, Access& a) {
    const Value agents = event.get("agent");
    if (agents.kind() != Kind::kArray) return;
    const Value* asked = nullptr;
    for (const Value& agent : agents.items()) {
      const bool requestor = agent.get("requestor").kind() == Kind::kBool && agent.get("requestor").as_bool();
      if (asked == nullptr || (requestor && !(asked->get("requestor").kind() == Kind::kBool && asked->get("requestor").as_bool()))) {
        if (asked != nullptr && a.via.empty()) a.via = name_of(*asked);
        asked = &agent;
      } else if (a.via.empty()) {
        a.via = name_of(agent);
      }
    }
    if (asked == nullptr) return;
    a.actor.account = text_of(asked->get("altId"));
    const Reference reference = reference_of(asked->get("who"));
    if (a.actor.account.empty()) a.actor.account = name_of(*asked);
    if (reference.type == "Practitioner" || reference.type == "Patient" || reference.type == "RelatedPerson" || reference.type == "Person") {
      a.actor.person = text_of(asked->get("name"));
      if (a.actor.person.empty()) a.actor.person = text_of(asked->get("who").get("display"));
    }
    for (const std::string_view network : {text_of(asked->get("network").get("address")), text_of(asked->get("networkString")), text_of(asked->get("networkUri"))}) {
      if (!network.empty() && network.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos) a.client.ip = network;
    }
  }

  static std::string name_of(const Value& agent) {
    const Reference reference = reference_of(agent.get("who"));
    if (!reference.id.empty()) return std::string(reference.type.empty() ? "" : std::string(reference.type) + "/") + std::string(reference.id);
    for (const std::string_view name : {text_of(agent.get("altId")), text_of(agent.get("name")), text_of(agent.get("who").get("display"))}) {
      if (!name.empty()) return std::string(name);
    }
    return {};
  }

  // The patients are the subjects; the first thing that is not a patient is what was read of them.
  static void what(const Value& event, Access& a) {
    const auto patient = [&](std::string_view id) {
      if (!id.empty() && a.subjects.size() < kMaxPatients && std::find(a.subjects.begin(), a.subjects.end(), id) == a.subjects.end()) {
        a.subjects.emplace_back(id);
      }
    };
    patient(reference_of(event.get("patient")).id);  // R5
    std::string_view other;
    if (const Value entities = event.get("entity"); entities.kind() == Kind::kArray) {
      for (const Value& entity : entities.items()) {
        const Reference reference = reference_of(entity.get("what"));
        if (reference.type == "Patient" || first_code(entity.get("role")) == "1") patient(reference.id);
        else if (other.empty()) other = reference.type;
      }
    }
    a.resource.dataset = a.subjects.empty() ? other : std::string_view("Patient");
    if (!other.empty() && !a.subjects.empty()) a.resource.columns = {std::string(other)};
    if (a.subjects.empty() && a.resource.dataset.empty()) a.resource.dataset = searched(event);
  }

  // A search names no result: "Patient?name=…" in entity.query (base64) tells at least what was searched.
  static std::string searched(const Value& event) {
    const Value entities = event.get("entity");
    if (entities.kind() != Kind::kArray) return {};
    for (const Value& entity : entities.items()) {
      const std::string_view query = text_of(entity.get("query"));
      std::string text;
      std::uint32_t bits = 0;
      int have = 0;
      for (const char c : query) {
        const std::size_t value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
        if (value == std::string_view::npos) break;
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        have += 6;
        if (have >= 8) {
          have -= 8;
          text += static_cast<char>(bits >> static_cast<unsigned>(have) & 0xFFU);
        }
      }
      std::string_view path = std::string_view(text).substr(0, text.find('?'));
      if (const std::size_t slash = path.rfind('/'); slash != std::string_view::npos) path = path.substr(slash + 1);
      if (!path.empty() && path.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == std::string_view::npos) return std::string(path);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Decoder> make_fhir() { return std::make_unique<Fhir>(); }

}  // namespace tocsin::engine
