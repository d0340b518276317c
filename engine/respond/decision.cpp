// History row by history row, then the entry, then the word to the consoles.
#include "engine/respond/decision.hpp"

namespace tocsin::engine {
namespace {

// An entry has a limit; what is beyond it is still in the history, and the count says that there was more.
constexpr std::size_t kMaxCommitments = 400;

}  // namespace

Result<void> Decision::change(std::string_view subject, std::int64_t id, std::optional<std::int64_t> incident,
                              std::string_view field, std::string_view from, std::string_view to, const Why& why) {
  storage::Change row;
  row.subject = subject;
  row.subject_id = id;
  row.incident = incident;
  row.time = now_;
  row.by = why.by.value_or(by_);
  row.field = field;
  row.from = from;
  row.to = to;
  row.reason = why.reason.value_or(reason_);
  auto kept = storage::HistoryStore::add(tx_, std::move(row));
  if (!kept) return pass(std::move(kept));
  commitments_.emplace_back("history:" + std::to_string(kept->id), to_hex(storage::HistoryStore::commitment(*kept)));
  return {};
}

Result<void> Decision::finish(std::string_view kind, const Recorder& record, const Teller& tell) {
  if (record) {
    storage::Entry entry;
    entry.kind = kind;
    entry.time = now_;
    entry.by = by_;
    entry.fields = std::move(notes_);
    if (commitments_.size() > kMaxCommitments) {
      entry.fields.emplace_back("history-rows", std::to_string(commitments_.size()));
      commitments_.resize(kMaxCommitments);
    }
    for (auto& commitment : commitments_) entry.fields.push_back(std::move(commitment));
    if (auto done = record(tx_, entry); !done) return done;
  }
  finish_quietly(tell);
  return {};
}

void Decision::finish_quietly(const Teller& tell) {
  if (!tell || messages_.empty()) return;
  tx_.after_commit([tell, messages = std::move(messages_)] {
    for (const auto& [kind, id] : messages) tell(kind, id);
  });
}

}  // namespace tocsin::engine
