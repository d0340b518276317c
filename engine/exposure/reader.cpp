// Which part of the reader an access is for: its kind of database, or none.
#include "engine/exposure/reader.hpp"

#include <utility>

#include "engine/access/gap.hpp"
#include "engine/access/replication.hpp"
#include "engine/exposure/learned.hpp"
#include "engine/exposure/mariadb.hpp"
#include "engine/exposure/named_people.hpp"
#include "engine/exposure/postgres.hpp"
#include "engine/exposure/statements.hpp"

namespace tocsin::engine {

namespace {

void name(const ReaderState& state, Access& access) {
  const auto places = state.options.persons.find(access.origin.source);
  if (places != state.options.persons.end()) name_person(places->second, access);
}

// Records without a statement: the session begins or ends, or the event names people itself.
void read_without_statement(ReaderState& state, Access& access, std::vector<Reach>& out) {
  if (access.operation == kReplication) {
    read_replication(state, access, out);
  } else if (access.action == Action::kAuthenticate && !access.actor.session.empty()) {
    Session& s = state.session(access);
    s.last = access.time;
    s.last_known = true;
  } else if (access.operation == kRecordsMissing) {
    read_gap(state, access, out);
  } else if (access.operation == "DISCONNECT" && !access.actor.session.empty()) {
    end_mariadb_session(state, access, out);
  } else {
    read_event(state, access, out);
  }
}

}  // namespace

ExposureReader::ExposureReader(DatasetMap map, storage::Registers& registers, Options options)
    : state_(std::make_unique<ReaderState>(std::move(map), registers, std::move(options))) {}
ExposureReader::~ExposureReader() = default;

void ExposureReader::read(Access& access, std::vector<Reach>& out) {
  ReaderState& state = *state_;
  name(state, access);
  if (access.statement.text.empty() && access.statement.command.empty()) {
    read_without_statement(state, access, out);
    return;
  }
  if (is_mysql(access)) {
    read_mariadb(state, access, out);
    return;
  }
  Session& s = state.session(access);
  if (access.statement.number == 0 || access.statement.number != s.number) begin_statement(state, s, access);
  StatementLine line{state, access, s, state.catalogue(access), window(state, s, access), out};
  if (access.actor.role.empty()) access.actor.role = s.role;
  name(state, access);  // the role may name the person
  read_postgres(line);
  s.last = access.time;
  s.last_known = true;
}

void ExposureReader::warm(Access& access) {
  std::vector<Reach> unused;
  state_->warming = true;
  read(access, unused);
  state_->warming = false;
}

void ExposureReader::reread(Access& access, std::vector<Reach>& out) {
  state_->warming = state_->reporting = true;
  read(access, out);
  state_->warming = state_->reporting = false;
}

void ExposureReader::forget_sessions() {
  state_->by_id.clear();
  state_->sessions.clear();
}

LearnedBytes ExposureReader::save() const { return save_learned(state_->catalogues, state_->sessions, kMaxLearnedBytes, state_->doubts()); }

Result<LearnedCounts> ExposureReader::restore(std::string_view bytes) {
  state_->by_id.clear();
  auto counts = restore_learned(bytes, state_->options, state_->registers, state_->catalogues, state_->sessions, &state_->disproved);
  for (auto s = state_->sessions.begin(); s != state_->sessions.end(); ++s) state_->by_id.emplace(s->id, s);
  return counts;
}

const DatasetMap& ExposureReader::map() const noexcept { return state_->map; }

}  // namespace tocsin::engine
