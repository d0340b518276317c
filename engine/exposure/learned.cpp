// One list of members a type (`walk`), gone through by the writer and by the reader, so that both always agree.
// Nothing is trusted: every count is held against the bytes that are left and against the reader's own limits.
#include "engine/exposure/learned.hpp"

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/sql/mysql.hpp"
#include "rules/base/bytes.hpp"
#include "storage/exposure/bits.hpp"

namespace tocsin::engine {
namespace {

using storage::PersonNo;

constexpr std::string_view kMagic = "TOCLEARN";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kSumAt = kMagic.size() + 4, kBodyAt = kSumAt + 32;
constexpr std::size_t kMaxReaches = 64;  // of one statement, as the reader keeps them

template <class T, class Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

std::uint64_t zigzag(std::int64_t v) { return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63); }
std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

tl::unexpected<Error> damaged(const char* what) { return fail(Errc::kCorrupt, std::string("what was learned of sessions and views cannot be read: ") + what); }

// ---------------------------------------------------------------------------------------- the members of each type

template <class A, Is<storage::Span> T>
void walk(A& a, T& v) { a(v.from, v.to); }

template <class A, Is<Amount> T>
void walk(A& a, T& v) { a(v.value, v.certainty); }

template <class A, Is<Origin> T>
void walk(A& a, T& v) { a(v.source, v.file, v.line, v.seq); }

template <class A, Is<Access> T>
void walk(A& a, T& v) {
  a(v.time, v.time_known, v.origin, v.format, v.event_id);
  a(v.actor.person, v.actor.account, v.actor.role, v.actor.session, v.via, v.action, v.operation);
  a(v.resource.system, v.resource.store, v.resource.dataset, v.resource.object, v.resource.columns, v.subjects);
  a(v.rows, v.bytes, v.client.ip, v.client.port, v.client.user_agent, v.outcome, v.error);
  a(v.statement.text, v.statement.parameters, v.statement.parameters_known, v.statement.command, v.statement.audit_class,
    v.statement.relation, v.statement.relation_type, v.statement.number, v.statement.sub_number, v.statement.cut);
}

template <class A, Is<Reach> T>
void walk(A& a, T& v) {
  a(v.key, v.source, v.origin, v.first, v.last, v.actor, v.account, v.role, v.session, v.application, v.client_ip);
  a(v.dataset, v.grade, v.whole, v.known_from);
  a.people(v.people, v.dataset);
  a(v.fields, v.at_least, v.at_most, v.rows, v.known, v.known_all, v.collected, v.paged, v.narrowed, v.estimate);
  a(v.also, v.way, v.place, v.reason, v.statement_key);
}

template <class A, Is<Definition> T>
void walk(A& a, T& v) { a(v.said, v.parameters, v.parameters_known, v.copy, v.taken); }

template <class A, Is<Catalogue::Entry> T>
void walk(A& a, T& v) {
  a(v.columns, v.complete, v.definitions, v.parents, v.bases, v.foreign);
  a(v.hidden, v.changed, v.fed_by, v.made, v.partition_column, v.unsure, v.guarded);
}

template <class A, Is<Session::Prepared> T>
void walk(A& a, T& v) { a(v.said, v.origin); }

template <class A, Is<Session::Cursor> T>
void walk(A& a, T& v) {
  a(v.said, v.parameters, v.parameters_known, v.key, v.origin, v.from, v.first, v.fetched, v.all, v.hold, v.jumped);
}

template <class A, Is<Session::Touch> T>
void walk(A& a, T& v) { a(v.relation, v.text, v.written, v.told); }

template <class A, Is<Session::Deferred> T>
void walk(A& a, T& v) { a(v.access, v.said, v.when); }

template <class A, Is<Session::Opened> T>
void walk(A& a, T& v) { a(v.origin, v.time, v.read, v.written); }

template <class A, Is<Session> T>
void walk(A& a, T& v) {
  a(v.id, v.last, v.last_known, v.transaction, v.role, v.search_path, v.odd, v.dropped, v.prepared, v.cursors);
  a.changes(v.added);
  a.changes(v.removed);
  a(v.number, v.before, v.before_known, v.rows, v.reaches, v.staged, v.touched, v.views, v.deferred, v.opened, v.locked, v.other_modes);
}

// ---------------------------------------------------------------------------------------- writing

class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) { (put(values), ...); }

  void people(const std::vector<PersonNo>& sorted, const std::string&) {
    out_.varint(sorted.size());
    PersonNo before = 0;
    for (const PersonNo no : sorted) {
      out_.varint(no - before);
      before = no;
    }
  }
  void changes(const std::vector<std::pair<std::string, PersonNo>>& list) {
    out_.varint(list.size());
    for (const auto& [dataset, no] : list) (*this)(dataset, std::uint64_t{no});
  }
  // Appends what `write` writes if there is room for it.
  template <class Write>
  bool fits(std::size_t most, Write&& write) {
    const std::size_t before = bytes_.size();
    write();
    if (bytes_.size() + text_bytes_ <= most) return true;
    bytes_.resize(before);  // texts that only this needed stay in the list: they count, and do no harm
    return false;
  }
  void count(std::size_t n) { out_.varint(n); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  // The texts of statements, each once.
  [[nodiscard]] std::string texts() const {
    std::string out;
    storage::exposure::ByteWriter w(out);
    w.varint(texts_.size());
    for (const auto& [text, mysql] : texts_) {
      w.varint(mysql ? 1 : 0);
      w.text(text);
    }
    return out;
  }

 private:
  void put(const std::string& v) { out_.text(v); }
  void put(bool v) { out_.varint(v ? 1 : 0); }
  void put(Time v) { out_.varint(zigzag(to_micros(v))); }
  template <class T>
    requires(std::unsigned_integral<T> && !std::same_as<T, bool>)
  void put(T v) { out_.varint(v); }
  template <class T>
    requires std::is_enum_v<T>
  void put(T v) { out_.varint(static_cast<std::uint64_t>(v)); }
  template <class T>
  void put(const std::optional<T>& v) {
    put(v.has_value());
    if (v) put(*v);
  }
  template <class T>
  void put(const std::vector<T>& v) {
    out_.varint(v.size());
    for (const T& one : v) put(one);
  }
  void put(const std::set<std::string>& v) {
    out_.varint(v.size());
    for (const std::string& one : v) put(one);
  }
  template <class K, class V, class L>
  void put(const std::map<K, V, L>& v) {
    out_.varint(v.size());
    for (const auto& [key, value] : v) (*this)(key, value);
  }
  void put(const KnownStatement& said) {
    const auto [at, is_new] = numbers_.try_emplace({said.text, said.mysql}, texts_.size());
    if (is_new) {
      texts_.emplace_back(said.text, said.mysql);
      text_bytes_ += said.text.size() + 8;
    }
    (*this)(std::uint64_t{at->second}, std::uint64_t{said.index});
  }
  template <class T>
    requires requires(Writer& w, const T& v) { walk(w, v); }
  void put(const T& v) { walk(*this, v); }

  std::string bytes_;
  storage::exposure::ByteWriter out_{bytes_};
  std::map<std::pair<std::string, bool>, std::size_t> numbers_;
  std::vector<std::pair<std::string, bool>> texts_;
  std::size_t text_bytes_ = 0;
};

// ---------------------------------------------------------------------------------------- reading

class LearnedReader {
 public:
  LearnedReader(std::string_view bytes, const ExposureReader::Options& options, const storage::Registers& registers)
      : in_(bytes), options_(options), registers_(registers) {}

  template <class... T>
  void operator()(T&... values) { (get(values), ...); }

  void people(std::vector<PersonNo>& sorted, const std::string& dataset) {
    std::uint64_t before = 0;
    for (std::size_t n = count(), i = 0; i < n && !failed(); ++i) {
      const std::uint64_t step = in_.varint(UINT32_MAX - before);
      if (i > 0 && step == 0) bad_ = true;
      before += step;
      if (known(dataset, before)) sorted.push_back(static_cast<PersonNo>(before));
    }
  }
  void changes(std::vector<std::pair<std::string, PersonNo>>& list) {
    for (std::size_t n = count(); n > 0 && !failed(); --n) {
      std::string dataset;
      std::uint64_t no = 0;
      (*this)(dataset, no);
      if (known(dataset, no)) list.emplace_back(std::move(dataset), static_cast<PersonNo>(no));
    }
  }
  // A number of things of one byte or more.
  std::size_t count(std::size_t most = SIZE_MAX) { return static_cast<std::size_t>(in_.varint(std::min(most, in_.left()))); }
  [[nodiscard]] bool failed() const { return bad_ || in_.failed(); }
  [[nodiscard]] bool at_end() const { return in_.left() == 0; }

  void texts() {
    for (std::size_t n = count(); n > 0 && !failed(); --n) {
      const bool mysql = in_.varint(1) != 0;
      const std::string text(in_.text(sql::kMaxStatementBytes));
      if (failed()) return;
      Text one{text, mysql, nullptr};
      if (mysql) {
        one.reading = sql::read_mysql(text)->reading;
      } else if (auto reading = sql::read(text)) {
        one.reading = std::move(*reading);
      }
      texts_.push_back(std::move(one));
    }
  }
  // Whether a statement met since the last call cannot be read any more (by a newer parser).
  bool take_unread() { return std::exchange(unread_, false); }

 private:
  struct Text {
    std::string text;
    bool mysql;
    std::shared_ptr<const sql::Reading> reading;
  };

  [[nodiscard]] bool known(const std::string& dataset, std::uint64_t no) const {
    const storage::People* people = registers_.find(dataset);
    return people != nullptr && no < people->size();
  }

  void get(std::string& v) { v = in_.text(in_.left()); }
  void get(bool& v) { v = in_.varint(1) != 0; }
  void get(Time& v) { v = from_micros(unzigzag(in_.varint())); }
  template <class T>
    requires(std::unsigned_integral<T> && !std::same_as<T, bool>)
  void get(T& v) { v = static_cast<T>(in_.varint(std::numeric_limits<T>::max())); }
  void get(Action& v) { v = static_cast<Action>(in_.varint(static_cast<std::uint64_t>(Action::kConfigure))); }
  void get(Certainty& v) { v = static_cast<Certainty>(in_.varint(static_cast<std::uint64_t>(Certainty::kExact))); }
  void get(Outcome& v) { v = static_cast<Outcome>(in_.varint(static_cast<std::uint64_t>(Outcome::kFailure))); }
  void get(storage::Grade& v) { v = static_cast<storage::Grade>(in_.varint(static_cast<std::uint64_t>(storage::Grade::kUnknown))); }
  template <class T>
  void get(std::optional<T>& v) {
    bool there = false;
    get(there);
    if (there && !failed()) get(v.emplace());
  }
  template <class T>
  void get(std::vector<T>& v) {
    const std::size_t most = std::same_as<T, KnownStatement> ? 1 : std::same_as<T, Reach> ? kMaxReaches : std::same_as<T, Definition> ? Catalogue::kMaxCopies : SIZE_MAX;
    for (std::size_t n = count(most); n > 0 && !failed(); --n) {
      T one{};
      get(one);
      v.push_back(std::move(one));
      if ((std::same_as<T, Definition> || std::same_as<T, KnownStatement>) && last_unread_) {
        v.pop_back();
        last_unread_ = false;
      }
    }
  }
  void get(std::set<std::string>& v) {
    for (std::size_t n = count(); n > 0 && !failed(); --n) {
      std::string one;
      get(one);
      v.insert(std::move(one));
    }
  }
  template <class K, class V, class L>
  void get(std::map<K, V, L>& v) {
    const std::size_t most = std::same_as<V, Session::Prepared> ? options_.max_prepared : std::same_as<V, Session::Cursor> ? options_.max_cursors : SIZE_MAX;
    const std::size_t n = count();
    for (std::size_t i = 0; i < n && !failed(); ++i) {
      K key{};
      V value{};
      (*this)(key, value);
      // Fewer are allowed than were: the first go, as they do when a new one comes.
      if (!std::exchange(last_unread_, false) && n - i <= most) v.emplace(std::move(key), std::move(value));
    }
  }
  void get(KnownStatement& said) {
    const std::uint64_t number = in_.varint();
    const std::uint64_t index = in_.varint();
    if (failed() || number >= texts_.size()) {
      bad_ = true;
      return;
    }
    const Text& text = texts_[number];
    if (text.reading == nullptr || index >= text.reading->statements.size()) {
      unread_ = last_unread_ = true;
      return;
    }
    said = {text.reading, static_cast<std::size_t>(index), text.text, text.mysql};
  }
  void get(std::optional<Session::Deferred>& v) {
    bool there = false;
    get(there);
    if (!there || failed()) return;
    walk(*this, v.emplace());
    if (std::exchange(last_unread_, false)) v.reset();
  }
  template <class T>
    requires requires(LearnedReader& r, T& v) { walk(r, v); }
  void get(T& v) { walk(*this, v); }

  storage::exposure::ByteReader in_;
  const ExposureReader::Options& options_;
  const storage::Registers& registers_;
  std::vector<Text> texts_;
  bool bad_ = false;
  bool unread_ = false;       // since take_unread()
  bool last_unread_ = false;  // the innermost thing that holds a statement must go
};

std::string head(std::string_view body) {
  std::string out(kMagic);
  for (unsigned i = 0; i < 4; ++i) out.push_back(static_cast<char>(kVersion >> (8 * i)));
  out += bytes_of(sha256(body));
  return out;
}

}  // namespace

LearnedBytes save_learned(const Catalogues& catalogues, const std::list<Session>& sessions, std::size_t most,
                          const std::map<std::string, Time>& disproved) {
  LearnedBytes out;
  Writer w;
  w.count(catalogues.size());
  for (const auto& [name, catalogue] : catalogues) {
    w(name);
    for (const auto& known : catalogue.entries()) {
      const bool fits = w.fits(most, [&] { w(true, known.first, known.second); });
      ++(fits ? out.counts.relations : out.counts.left_out);
    }
    w(false);
  }
  for (const Session& session : sessions) {
    const bool fits = w.fits(most, [&] { w(true, session); });
    ++(fits ? out.counts.sessions : out.counts.left_out);
  }
  w(false, disproved);
  const std::string body = w.texts() + w.bytes();
  out.bytes = head(body) + body;
  return out;
}

Result<LearnedCounts> restore_learned(std::string_view bytes, const ExposureReader::Options& options, const storage::Registers& registers,
                                      Catalogues& catalogues, std::list<Session>& sessions, std::map<std::string, Time>* disproved) {
  catalogues.clear();
  sessions.clear();
  if (bytes.size() < kBodyAt || bytes.substr(0, kMagic.size()) != kMagic) return damaged("it is something else");
  std::uint32_t version = 0;
  for (unsigned i = 0; i < 4; ++i) version |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[kMagic.size() + i])) << (8 * i);
  if (version != kVersion) return fail(Errc::kUnsupported, "what was learned of sessions and views is of version " + std::to_string(version));
  const std::string_view body = bytes.substr(kBodyAt);
  if (bytes_of(sha256(body)) != bytes.substr(kSumAt, kBodyAt - kSumAt)) return damaged("its checksum is wrong");

  LearnedCounts counts;
  Catalogues known;
  std::list<Session> middle;
  std::set<std::string> ids;
  LearnedReader r(body, options, registers);
  r.texts();
  for (std::size_t n = r.count(); n > 0 && !r.failed(); --n) {
    std::string name;
    r(name);
    Catalogue& catalogue = known.try_emplace(name, options.max_relations).first->second;
    for (bool more = true; !r.failed();) {
      r(more);
      if (!more || r.failed()) break;
      std::string relation;
      Catalogue::Entry entry;
      r(relation, entry);
      if (r.failed()) break;
      const bool whole = !r.take_unread();
      if (!whole) entry.hidden = "the statement that made it cannot be read any more";
      ++(catalogue.restore(std::move(relation), std::move(entry)) && whole ? counts.relations : counts.left_out);
    }
  }
  for (bool more = true; !r.failed();) {
    r(more);
    if (!more || r.failed()) break;
    Session session;
    r(session);
    if (r.failed()) break;
    const bool whole = !r.take_unread();
    if (!ids.insert(session.id).second) return damaged("two sessions of one name");
    const bool fits = middle.size() < options.max_sessions;
    if (fits) middle.push_back(std::move(session));
    ++(fits && whole ? counts.sessions : counts.left_out);
  }
  std::map<std::string, Time> wrong;
  if (!r.failed()) r(wrong);
  if (r.failed() || !r.at_end()) return damaged("it does not hold together");
  catalogues = std::move(known);
  sessions = std::move(middle);
  if (disproved != nullptr) *disproved = std::move(wrong);
  return counts;
}

}  // namespace tocsin::engine
