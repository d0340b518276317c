// Wiring. Everything here is construction, hand-over between threads, and order; the work is done elsewhere.
#include "engine/app/live.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "engine/api/alerts.hpp"
#include "engine/api/events.hpp"
#include "engine/api/guard.hpp"
#include "engine/api/incidents.hpp"
#include "engine/api/local_guard.hpp"
#include "engine/api/metrics.hpp"
#include "engine/api/notices.hpp"
#include "engine/api/overview.hpp"
#include "engine/api/people.hpp"
#include "engine/api/record.hpp"
#include "engine/api/report.hpp"
#include "engine/api/session.hpp"
#include "engine/api/sources.hpp"
#include "engine/api/system.hpp"
#include "engine/api/tasks.hpp"
#include "engine/api/users.hpp"
#include "engine/app/errands.hpp"
#include "engine/app/export_memory.hpp"
#include "engine/app/exposure_keeper.hpp"
#include "engine/app/exposure_reread.hpp"
#include "engine/app/local_routes.hpp"
#include "engine/app/people_source.hpp"
#include "engine/app/register_routes.hpp"
#include "engine/app/rule_book.hpp"
#include "engine/app/state.hpp"
#include "engine/intake/follower.hpp"
#include "engine/intake/framer.hpp"
#include "engine/intake/recognise.hpp"
#include "engine/net/server.hpp"
#include "engine/sql/reading.hpp"
#include "notifier/channel/mailbox/mailbox.hpp"
#include "notifier/channel/smtp/smtp.hpp"
#include "notifier/dispatch/dispatcher.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/exposure/open_segments.hpp"
#include "storage/exposure_recent.hpp"
#include "storage/exposure_store.hpp"
#include "storage/progress_store.hpp"
#include "storage/user_store.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kDetectBatch = 2000;         // records whose effects share a transaction
constexpr std::uint64_t kWarmRecords = 50'000;     // read again at start to know what sessions are in the middle of
constexpr std::chrono::milliseconds kIdle{100};
// Where no record comes, the time of the events goes on this far behind: shippers may be that slow.
constexpr std::chrono::minutes kQuiet{15};
// What detection remembers is kept at most this often, and less often the longer keeping it takes.
constexpr std::chrono::seconds kKeepMemoryEvery{5};
constexpr int kKeepMemoryShare = 20;  // at most one part in so many of the time
constexpr std::size_t kMaxWindowBytes = 512UL << 20;  // larger ones are not kept: they are built up again after a restart
constexpr std::chrono::seconds kRetryStore{2};     // between two tries to store effects (full disk)
constexpr std::chrono::seconds kHousekeeping{1};
constexpr std::chrono::hours kRetentionEvery{1};
constexpr std::chrono::minutes kIndexEvery{1};     // merging and dropping segments of exposure
constexpr std::chrono::hours kCheckEvery{24};      // reading all of them
constexpr std::chrono::seconds kTickEvery{5};      // news for open incidents, late duties
constexpr std::size_t kDeliveriesLookedAt = 500;   // for the first that left
constexpr unsigned kLocalWorkers = 3;              // of the control socket
constexpr std::size_t kLocalConnections = 16;
constexpr std::size_t kLocalBodies = kMaxRegisterUpload + (8UL << 20);

// When the first notice of an incident left.
std::optional<Time> first_notice_sent(storage::Reader& reader, std::int64_t incident) {
  auto counts = storage::NoticeStore::counts_of_incident(reader, incident);
  auto list = storage::NoticeStore::list(reader, incident);
  if (!counts || !list || counts->sent == 0) return std::nullopt;
  std::optional<Time> first;
  for (const storage::Notice& notice : *list) {
    auto deliveries = storage::NoticeStore::of_notice(reader, notice.id, 0, kDeliveriesLookedAt);
    if (!deliveries) continue;
    for (const storage::Delivery& delivery : *deliveries) {
      if (delivery.sent_at && (!first || *delivery.sent_at < *first)) first = delivery.sent_at;
    }
  }
  return first;
}

// Notices that stand against closing their incident.
std::vector<std::string> unfinished_notices(storage::Reader& reader, std::int64_t incident) {
  std::vector<std::string> out;
  auto list = storage::NoticeStore::list(reader, incident);
  if (!list) return out;
  for (const storage::Notice& notice : *list) {
    if (notice.state == storage::NoticeState::kSending) out.push_back("a notice is being sent");
    if (notice.state == storage::NoticeState::kApproved) out.push_back("an approved notice has not been sent");
    if (notice.state == storage::NoticeState::kSubmitted) out.push_back("a notice waits for approval");
  }
  return out;
}

}  // namespace

struct Live::Impl final : EventSink {
  Config config;
  const Clock& clock;
  std::unique_ptr<State> state;
  std::unique_ptr<storage::Journal> journal;
  storage::PasswordHasher hasher;
  std::unique_ptr<storage::UserStore> users;
  std::unique_ptr<LawCounsel> counsel;
  std::unique_ptr<ExposedPeople> people;
  std::unique_ptr<Respond> respond;
  std::unique_ptr<FrozenPeople> frozen;
  std::unique_ptr<IncidentsForNotices> incidents;
  std::unique_ptr<notifier::Notices> notices;
  std::unique_ptr<notifier::Dispatcher> dispatcher;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<RuleBook> book;
  std::vector<RuleInfo> other_rules;  // those that are no Sigma rules, without counts
  std::unique_ptr<ExposureKeeper> exposure;
  std::map<std::string, SourceSetup, std::less<>> source_setups;
  SourceBoard board;
  Feed feed;
  Metrics metrics;
  Router router;
  std::unique_ptr<Guard> guard;
  std::unique_ptr<Server> server;
  Router local_router;                       // what the command line asks beside us
  std::unique_ptr<LocalGuard> local_guard;
  std::unique_ptr<Server> local_server;
  Errands errands;                           // for the detector
  std::vector<std::unique_ptr<Follower>> followers;
  std::vector<std::thread> threads;
  std::string claim;
  std::string public_url;

  std::chrono::steady_clock::time_point keep_memory_next{};  // the detector's
  bool told_left_out = false;                                // the detector's

  mutable std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;                                          // guarded by mutex
  std::string detect_trouble;                                     // guarded by mutex
  bool new_rules = false;                                         // guarded by mutex; the detector takes them up
  rules::sigma::Correlator::Statistics windows;                   // guarded by mutex
  std::map<std::string, std::uint64_t, std::less<>> rule_counts;  // guarded by mutex

  Impl(Config c, const Clock& k) : config(std::move(c)), clock(k) {}
  ~Impl() override { stop(); }

  bool stopped() const {
    const std::lock_guard lock(mutex);
    return stopping;
  }
  // False if it is time to stop.
  bool pause(std::chrono::milliseconds how_long) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, how_long, [&] { return stopping; });
    return !stopping;
  }

  // ---- intake: records become durable ---------------------------------------------------------------------

  Result<void> take_lines(std::span<const Line> lines, SourceMeter& meter) {
    const Time now = clock.now();
    std::vector<storage::Record> records;
    records.reserve(lines.size());
    for (const Line& line : lines) {
      storage::Record r;
      r.source = line.source;
      r.file = line.file;
      r.line = line.line;
      r.arrived = now;
      r.stream = line.stream;
      r.position = line.end.offset;
      const std::string own = record_id(line.format, line.bytes, mapping_of(line.source));
      if (!own.empty()) r.event_id = state->keys->event_id(line.source, own);
      r.payload = line.bytes;
      records.push_back(r);
    }
    auto done = journal->append(records);
    if (!done) return pass(std::move(done));
    meter.accepted(done->accepted, now);
    if (!done->duplicates.empty()) meter.duplicates(done->duplicates.size());
    return {};
  }

  const JsonMapping* mapping_of(std::string_view source) const {
    const auto at = source_setups.find(source);
    return at == source_setups.end() ? nullptr : &at->second.decoder.mapping;
  }

  // POST /v1/events.
  Result<EventReceipt> accept(std::string_view source, std::string_view format, std::span<const EventLine> lines) override {
    if (!format.empty() && !is_known_format(format)) {
      std::string known;
      for (const std::string_view f : known_formats()) known += (known.empty() ? "" : ", ") + std::string(f);
      return fail(Errc::kInvalid, "unknown format '" + printable(format, 40) + "'", "", "one of: " + known);
    }
    const Time now = clock.now();
    std::string named(format);
    if (named.empty()) {
      if (const auto at = source_setups.find(source); at != source_setups.end()) named = at->second.format;
    }
    auto meter = board.meter(std::string(source), "http", "", named);
    const std::string place = "POST /v1/events" + (format.empty() ? std::string() : "?format=" + std::string(format));
    // Records without an id of their own are known by their bytes and by how often these came before in this very
    // request: a retry of the request is recognised, two equal lines in one request are two events.
    std::unordered_map<std::string, std::uint32_t> seen;
    std::vector<storage::Record> records;
    records.reserve(lines.size());
    for (const EventLine& line : lines) {
      storage::Record r;
      r.source = source;
      r.file = place;
      r.line = line.line;
      r.arrived = now;
      std::string own = record_id(named, line.bytes, mapping_of(source));
      if (own.empty()) {
        const std::string hash(bytes_of(sha256(line.bytes)));
        own = "bytes:" + hash + ":" + std::to_string(seen[hash]++);
      }
      r.event_id = state->keys->event_id(source, own);
      r.payload = line.bytes;
      records.push_back(r);
    }
    auto done = journal->append(records);
    if (!done) {
      // A full disk is the shipper's 507, not a fault of the request.
      if (done.error().code == Errc::kUnavailable) return fail(Errc::kUnavailable, done.error().message, "", done.error().remedy);
      return pass(std::move(done));
    }
    meter->state("receiving");
    meter->accepted(done->accepted, now);
    if (!done->duplicates.empty()) meter->duplicates(done->duplicates.size());
    EventReceipt receipt;
    receipt.accepted = done->accepted;
    receipt.duplicates = done->duplicates.size();
    return receipt;
  }

  // Standard input as a source: read to its end, once. It is asked before it is read, so that stopping never waits
  // for a writer that is silent.
  void read_stdin(const SourceConfig& source) {
    constexpr int kAskMs = 200;
    auto meter = board.meter(source.name, "stdin", "-", source.format);
    meter->state("following");
    std::string format = source.format, sample;
    std::optional<Framer> framer;
    if (!format.empty()) framer.emplace(framing_of(format));
    std::vector<char> buffer(64 * 1024);
    for (bool open = true; open && !stopped();) {
      pollfd asked{STDIN_FILENO, POLLIN, 0};
      if (::poll(&asked, 1, kAskMs) <= 0) continue;
      const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        meter->state("error", std::string("standard input cannot be read: ") + std::strerror(errno));
        return;
      }
      open = n > 0;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
      if (framer) {
        framer->add(bytes);
      } else {
        sample += bytes;
        auto recognised = recognise(sample);
        if (!recognised) {
          if (open && sample.size() < kRecognitionSample) continue;
          meter->state("error", recognised.error().text());
          return;
        }
        format = recognised->format;
        meter->format(format);
        framer.emplace(framing_of(format));
        framer->add(sample);
      }
      if (!open) framer->finish();
      while (auto frame = framer->next()) {
        if (!frame->error.empty()) {
          meter->rejected({"-", frame->line, frame->error, std::string(frame->bytes), clock.now()});
          continue;
        }
        Line line;
        line.source = source.name;
        line.file = "-";
        line.format = format;
        line.line = frame->line;
        line.bytes = frame->bytes;
        while (!take_lines(std::span(&line, 1), *meter)) {
          if (!pause(std::chrono::duration_cast<std::chrono::milliseconds>(kRetryStore))) return;
        }
      }
    }
    meter->state("stopped");
  }

  // ---- detection: behind the journal ----------------------------------------------------------------------

  static Incoming incoming(const storage::JournalRecord& r) {
    Incoming in;
    in.source = r.source;
    in.file = r.file;
    in.line = r.line;
    in.seq = r.seq;
    in.arrived = r.arrived;
    in.payload = r.payload;
    return in;
  }

  // What detection was in the middle of before a restart: what sessions and relations were known to be, and the windows
  // of correlations, both as they were last kept, and from the records since then. The last kWarmRecords are read in
  // any case: formats are recognised by them, and sessions too if nothing was kept.
  Result<void> warm(storage::Seq processed) {
    if (processed == 0) return {};
    auto kept = state->db->read([](storage::Reader& r) { return storage::ProgressStore::snapshot(r, storage::ProgressStore::kWindows); });
    if (!kept) return pass(std::move(kept));
    storage::Seq from = std::max(journal->oldest(), processed > kWarmRecords ? processed - kWarmRecords : 1);
    storage::Seq windows_from = from;
    if (*kept && (*kept)->seq <= processed) {
      if (auto restored = pipeline->restore_windows((*kept)->bytes); restored) windows_from = (*kept)->seq + 1;
      else spdlog::warn("{}", restored.error().text());
    }
    const std::optional<storage::Seq> learned_from = recall_learned(processed);
    const storage::Seq readers_from = recall_log_readers(processed).value_or(from);
    from = std::max(journal->oldest(), std::min({from, windows_from, readers_from, learned_from.value_or(from)}));
    if (learned_from && *learned_from < from) {
      spdlog::warn("events {} to {} are not in the journal any more: what sessions did in them is not known", *learned_from, from - 1);
    }
    auto stored = state->db->read([&](storage::Reader& r) { return storage::ExposureStore::since(r, std::min(windows_from, readers_from) - 1); });
    if (!stored) return pass(std::move(stored));
    std::unordered_map<storage::Seq, std::vector<Reach>> reached;
    for (const storage::StoredReach& one : *stored) reached[one.seq].push_back(reach_from(one));
    const std::vector<Reach> none;
    auto cursor = journal->read_from(from);
    storage::JournalRecord record;
    while (cursor->position() <= processed) {
      auto more = cursor->next(record);
      if (!more || !*more || record.seq > processed) break;
      const auto at = reached.find(record.seq);
      Pipeline::Warm what;
      what.sessions = !learned_from || record.seq >= *learned_from;
      what.windows = record.seq >= windows_from;
      what.readers = record.seq >= readers_from;
      pipeline->warm(incoming(record), at == reached.end() ? none : at->second, what);
    }
    return {};
  }

  // Puts the reader back to what it had learned; the first record that it has not seen, nullopt if nothing was kept.
  std::optional<storage::Seq> recall_learned(storage::Seq processed) {
    auto kept = kept_learned(*state);
    if (kept && !*kept) return std::nullopt;
    if (kept && (*kept)->seq > processed) return std::nullopt;  // of a journal that has been put back
    auto restored = kept ? pipeline->restore_learned((*kept)->bytes) : Result<LearnedCounts>(tl::unexpected(kept.error()));
    if (!restored) {
      spdlog::error("{}; views, copies and cursors are known from the last {} events only: earlier ones are graded bound or unknown",
                    restored.error().text(), kWarmRecords);
      return std::nullopt;
    }
    tell_left_out(restored->left_out);
    return (*kept)->seq + 1;
  }

  // The same for what is known of logs with secrets in them and of their readers.
  std::optional<storage::Seq> recall_log_readers(storage::Seq processed) {
    auto kept = state->db->read([](storage::Reader& r) { return storage::ProgressStore::snapshot(r, storage::ProgressStore::kLogReaders); });
    if (!kept || !*kept || (*kept)->seq > processed) return std::nullopt;
    if (auto restored = pipeline->restore_log_readers((*kept)->bytes); !restored) {
      spdlog::error("{}; readers are known from the last {} events only", restored.error().text(), kWarmRecords);
      return std::nullopt;
    }
    return (*kept)->seq + 1;
  }

  static void tell_left_out(std::size_t left_out) {
    if (left_out > 0) spdlog::warn("{} sessions or relations that the log has shown are not known over a restart: too many, or not to be read any more", left_out);
  }

  // What is to be remembered over a restart if it is time to keep it again, else empty.
  Memory memory_to_keep(bool now) {
    const auto started = std::chrono::steady_clock::now();
    if (!now && started < keep_memory_next) return {};
    Memory memory;
    memory.windows = pipeline->save_windows();
    memory.log_readers = pipeline->save_log_readers();
    LearnedBytes learned = pipeline->save_learned();
    memory.learned = std::move(learned.bytes);
    if (learned.counts.left_out > 0 && !std::exchange(told_left_out, true)) tell_left_out(learned.counts.left_out);
    const auto took = std::chrono::steady_clock::now() - started;
    keep_memory_next = std::chrono::steady_clock::now() + std::max<std::chrono::steady_clock::duration>(kKeepMemoryEvery, kKeepMemoryShare * took);
    if (memory.windows.size() > kMaxWindowBytes) {
      spdlog::warn("correlations remember {} MB, too much to be kept over a restart", memory.windows.size() >> 20);
      memory.windows.clear();
    }
    return memory;
  }

  void take_up_rules() {
    {
      const std::lock_guard lock(mutex);
      if (!std::exchange(new_rules, false)) return;
    }
    pipeline->adopt(book->engine());
  }

  void detect(storage::Seq processed) {
    auto cursor = journal->read_from(processed + 1);
    Effects effects;
    storage::JournalRecord record;
    storage::Seq reached = processed;
    std::optional<Time> newest;  // event time, and when it was seen: old logs are fed at any hour
    Time newest_seen{};
    while (!stopped()) {
      take_up_rules();
      errands.do_waiting();
      effects.clear();
      std::size_t count = 0;
      storage::Seq last = reached;
      while (count < kDetectBatch) {
        auto more = cursor->next(record);
        if (!more) {
          spdlog::error("journal: {}", more.error().text());
          if (!pause(std::chrono::duration_cast<std::chrono::milliseconds>(kRetryStore))) return;
          break;
        }
        if (!*more) break;
        pipeline->see(incoming(record), effects);
        last = record.seq;
        ++count;
      }
      for (const storage::JournalGap& gap : cursor->take_gaps()) {
        spdlog::error("journal: events {} to {} are missing ({}, byte {}){}", gap.first, gap.last, gap.file, gap.offset,
                      gap.acknowledged ? "; they were acknowledged" : "");
      }
      if (count == 0) {
        // Where it is quiet, the time of the events goes on as the clock does, so that what did not happen is noticed too.
        if (newest) pipeline->advance(*newest + (clock.now() - newest_seen) - kQuiet, effects);
        if (effects.findings.empty()) {
          static_cast<void>(journal->wait_for(cursor->position(), kIdle));
          continue;
        }
      }
      reached = last;
      const Memory kept = memory_to_keep(count == 0);
      // Effects are never dropped: if they cannot be stored (full disk), the journal keeps growing or refuses, and
      // this batch waits.
      for (;;) {
        auto done = keep(*state, *respond, effects, last, clock.now(), kept);
        {
          const std::lock_guard lock(mutex);
          detect_trouble = done ? "" : done.error().text();
          rule_counts = pipeline->rule_counts();
          if (!kept.windows.empty()) windows = pipeline->windows();  // looks at every group
        }
        if (done) break;
        spdlog::error("detection cannot be stored: {}", done.error().text());
        if (!pause(std::chrono::duration_cast<std::chrono::milliseconds>(kRetryStore))) return;
      }
      exposure->stored(effects.reaches.size());
      for (const auto& [source, n] : effects.counts) {
        if (n.newest && (!newest || *newest < *n.newest)) {
          newest = n.newest;
          newest_seen = clock.now();
        }
        if (auto meter = board.find(source)) meter->decoded(n.decoded, n.newest);
        feed.tell("source", source);
      }
      for (const Effects::Failure& f : effects.failures) {
        if (auto meter = board.find(f.source)) meter->rejected({f.file, f.line, f.error, f.preview, clock.now()});
      }
    }
    if (reached == 0) return;
    effects.clear();
    if (auto done = keep(*state, *respond, effects, reached, clock.now(), memory_to_keep(true)); !done) {
      spdlog::warn("what detection remembers could not be kept: {}", done.error().text());
    }
  }

  Result<RuleBook::Content> reload_rules(const std::string& by) {
    auto content = book->reload([](const std::string& line) { spdlog::info("{}", line); });
    if (!content) return content;
    auto noted = state->db->write([&](storage::Transaction& tx) -> Result<void> {
      storage::Entry entry;
      entry.kind = "rules-loaded";
      entry.time = clock.now();
      entry.by = by;
      entry.fields = {{"rules", std::to_string(content->rules)}, {"correlations", std::to_string(content->correlations)},
                      {"refused", std::to_string(content->refused)}, {"sha256", content->sha256}};
      auto index = state->ledger->record(tx, entry);
      if (!index) return pass(std::move(index));
      return {};
    });
    if (!noted) return pass(std::move(noted));
    const std::lock_guard lock(mutex);
    new_rules = true;
    return content;
  }

  // ---- housekeeping ---------------------------------------------------------------------------------------

  void keep_house() {
    std::optional<Time> next_late = clock.now();
    Time next_retention = clock.now(), next_index = clock.now(), next_check = clock.now() + kCheckEvery;
    while (pause(std::chrono::duration_cast<std::chrono::milliseconds>(kHousekeeping))) {
      const Time now = clock.now();
      if (!state->ledger->healthy()) {
        if (auto done = state->ledger->publish(); !done) spdlog::error("ledger: {}", done.error().text());
      }
      if (!next_late || *next_late <= now) {
        auto next = respond->tick(now);
        if (!next) spdlog::error("incidents: {}", next.error().text());
        next_late = now + kTickEvery;
        if (next && *next) next_late = std::min(*next_late, **next);
      }
      if (next_retention <= now) {
        next_retention = now + kRetentionEvery;
        auto processed = state->db->read([](storage::Reader& r) { return storage::ProgressStore::processed(r); });
        if (processed) {
          const Time cutoff = now - std::chrono::hours(24) * static_cast<int>(config.journal_keep_days);
          auto dropped = journal->drop_before(cutoff, *processed);
          if (dropped && *dropped > 0) spdlog::info("journal: {} old segments deleted", *dropped);
        }
        static_cast<void>(state->vault->settle(*state->db));
        static_cast<void>(users->sweep(now));
      }
      if (next_index <= now) {
        next_index = now + kIndexEvery;
        exposure->tend(now);
      }
      if (next_check <= now) {
        next_check = now + kCheckEvery;
        exposure->verify();
      }
    }
  }

  // ---- starting and stopping ------------------------------------------------------------------------------

  Result<std::unique_ptr<notifier::Channel>> make_channel() const {
    const NoticesConfig& n = config.notices;
    if (n.channel == "mailbox") return notifier::open_mailbox(n.mailbox.empty() ? state->dir / "mail" : std::filesystem::path(n.mailbox));
    notifier::SmtpOptions options;
    options.host = n.smtp.host;
    options.port = n.smtp.port;
    options.tls = n.smtp.tls == "implicit" ? notifier::SmtpOptions::Tls::kImplicit
                  : n.smtp.tls == "none"   ? notifier::SmtpOptions::Tls::kNone
                                           : notifier::SmtpOptions::Tls::kStartTls;
    options.user = n.smtp.user;
    options.ca_file = n.smtp.ca_file;
    options.timeout_seconds = n.smtp.timeout_seconds;
    if (!n.smtp.password_file.empty()) {
      std::ifstream in(n.smtp.password_file);
      if (!std::getline(in, options.password)) return fail(Errc::kIo, "the password file cannot be read", n.smtp.password_file, "its first line is the password");
    }
    return notifier::make_smtp(std::move(options));
  }

  std::vector<RuleInfo> rules_now() const {
    const std::shared_ptr<const rules::sigma::Engine> engine = book->engine();
    std::vector<RuleInfo> out;
    const auto add = [&](const rules::sigma::Description& rule, const char* kind) {
      out.push_back({rule.key(), rule.title, std::string(rules::sigma::name(rule.level)), kind, RuleBook::pack_of(rule), 0});
    };
    for (const auto& compiled : engine->rules()) add(*compiled.rule, "sigma");
    for (const auto& compiled : engine->correlations()) add(*compiled.rule, "correlation");
    const std::lock_guard lock(mutex);
    out.insert(out.end(), other_rules.begin(), other_rules.end());
    for (RuleInfo& rule : out) {
      if (const auto at = rule_counts.find(rule.id); at != rule_counts.end()) rule.matches = at->second;
    }
    return out;
  }

  void list_other_rules(const PipelineSetup& setup) {
    for (const auto& [way, title] : {std::pair{"copy", "Bulk export by COPY"}, {"cursor", "Bulk export by cursor"}, {"pg_dump", "Bulk export by pg_dump"},
                                     {"select", "Bulk export by SELECT"}, {"view", "Bulk export through a view"}, {"prepared", "Bulk export by a prepared statement"},
                                     {"paging", "Bulk export page by page"}, {"one-by-one", "Many people read one by one"}, {"returning", "Bulk export by RETURNING"},
                                     {"denied", "Refused read of a table of people"}}) {
      other_rules.push_back({std::string("tocsin.export.") + way, title, "high", "export", "", 0});
    }
    if (setup.scanner) {
      for (const auto& rule : setup.scanner->rules()) {
        other_rules.push_back({"tocsin.secret." + std::string(rule.id), std::string(rule.description), "high", "secret", std::string(rule.file), 0});
      }
    }
  }

  std::vector<Health> health() const {
    std::vector<Health> out;
    out.push_back({"journal", journal->trouble()});
    out.push_back({"ledger", state->ledger->healthy() ? "" : "the ledger cannot be written"});
    const std::lock_guard lock(mutex);
    out.push_back({"detection", detect_trouble.empty() ? "" : "effects cannot be stored"});
    return out;
  }

  void add_routes() {
    const auto base = [this] { return public_url; };
    Surroundings around;
    around.notices = [](storage::Reader& reader, std::int64_t incident) {
      boost::json::array out;
      auto list = storage::NoticeStore::list(reader, incident);
      if (!list) return out;
      for (const auto& n : *list) {
        auto counts = storage::NoticeStore::counts(reader, n.id);
        out.push_back(boost::json::object{{"id", std::to_string(n.id)}, {"subject", n.subject}, {"language", n.language}, {"version", n.version},
                                          {"state", storage::name(n.state)}, {"author", n.author},
                                          {"progress", progress_json(counts ? *counts : storage::DeliveryCounts())}});
      }
      return out;
    };
    around.notice_counts = [](storage::Reader& reader, std::optional<std::int64_t> incident) {
      NoticeCounts out;
      auto counts = incident ? storage::NoticeStore::counts_of_incident(reader, *incident) : storage::NoticeStore::counts(reader, 0);
      if (!counts) return out;
      out.told = counts->sent + counts->unknown;
      out.reached = counts->sent;
      out.acknowledged = counts->acknowledged;
      out.failed = counts->failed + counts->no_contact;
      return out;
    };
    around.sources = [this] {
      boost::json::array out;
      for (const SourceStatus& status : board.all()) out.push_back(to_json(status));
      return out;
    };
    around.ledger = [this] {
      const auto head = state->ledger->head();
      return boost::json::object{{"size", head.size}, {"root", to_base64(bytes_of(head.root))}, {"origin", state->ledger->origin()},
                                 {"vkey", state->ledger->vkey()}, {"checkpoint", head.checkpoint}, {"healthy", state->ledger->healthy()}};
    };
    const OrganisationConfig& org = config.organisation;
    around.organisation = {{"name", org.name}, {"contact", org.contact}, {"phone", org.phone}, {"website", org.website},
                           {"address", org.address}, {"country", org.country}, {"authority", org.authority}};
    const WorkflowApi workflow{*respond, around};
    add_session_routes(router, *users, clock);
    add_user_routes(router, *users, clock, base);
    add_event_routes(router, *this);
    add_source_routes(router, board);
    add_rule_routes(router, [this] { return rules_now(); }, [this](const std::string& by) -> Result<RulesLoaded> {
      auto content = reload_rules(by);
      if (!content) return pass(std::move(content));
      return RulesLoaded{content->rules, content->correlations, content->refused, content->sha256};
    });
    add_people_routes(router, PeopleApi{*state->db, *people, clock, state->vault.get(), state->ledger.get()});
    add_ledger_routes(router, *state->db, *state->ledger, state->dir / "ledger");
    add_alert_routes(router, workflow);
    add_incident_routes(router, workflow);
    add_task_routes(router, workflow);
    add_overview_routes(router, workflow);
    add_report_routes(router, workflow);
    add_notice_routes(router, *notices, *state->db, [this] { dispatcher->wake(); }, [this] { return dispatcher->trouble(); });
    PortalOptions portal;
    portal.organisation = org.name;
    portal.contact = org.contact;
    portal.phone = org.phone;
    portal.website = org.website;
    portal.public_url = config.public_url;  // empty: the page knows where it came from
    add_portal_routes(router, *notices, *state->ledger, clock, portal);
    add_system_routes(router, metrics, [this] { return health(); });
    add_page_routes(router);
    metrics.before_text([this](Metrics& m) { measure(m); });
  }

  // The control socket. Without it only the command line goes without: the engine runs.
  void start_local() {
    const WorkflowApi workflow{*respond, Surroundings()};
    add_local_routes(local_router);
    add_people_routes(local_router, PeopleApi{*state->db, *people, clock, state->vault.get(), state->ledger.get()});
    add_incident_people_routes(local_router, workflow);
    add_user_routes(local_router, *users, clock, [this] { return public_url; });
    add_local_user_routes(local_router, *users, clock);
    RegisterDesk registers{*state->db, *state->vault, *state->ledger, state->keys, clock, {}, {}};
    registers.alone = [this](bool, const RegisterDesk::Work& work) { return errands.run([&] { return work(*state->registers); }); };
    registers.again = [this](const Error& error) {  // as with what detection finds: what is in memory must be stored
      spdlog::error("a register cannot be stored: {}", error.text());
      return pause(std::chrono::duration_cast<std::chrono::milliseconds>(kRetryStore));
    };
    add_register_routes(local_router, std::move(registers));
    local_guard = std::make_unique<LocalGuard>(local_router, static_cast<std::uint32_t>(::geteuid()));
    ServerOptions options;
    options.socket = std::filesystem::absolute(state->dir) / kControlFolder / kControlSocket;
    options.workers = kLocalWorkers;
    options.limits.connections = kLocalConnections;
    options.limits.waiting_jobs = kLocalConnections;
    options.limits.body_bytes_in_memory = kLocalBodies;
    options.limits.streams = 0;
    auto started = Server::start(options, *local_guard, feed);
    if (started) local_server = std::move(*started);
    else spdlog::warn("commands cannot ask this engine: {}", started.error().text());
  }

  void measure(Metrics& m) const {
    for (const SourceStatus& s : board.all()) {
      const Metrics::Labels labels{{"source", s.name}};
      m.total("tocsin_events_accepted_total", "records made durable", labels, static_cast<double>(s.accepted));
      m.total("tocsin_events_decoded_total", "records decoded", labels, static_cast<double>(s.decoded));
      m.total("tocsin_events_rejected_total", "records that cannot be decoded", labels, static_cast<double>(s.rejected));
      m.total("tocsin_events_duplicate_total", "records seen before", labels, static_cast<double>(s.duplicates));
      m.set("tocsin_source_behind_bytes", "written by the source, not read yet", labels, static_cast<double>(s.behind_bytes));
    }
    {
      const std::lock_guard lock(mutex);
      m.set("tocsin_correlation_groups", "groups that correlations keep a window for", {}, static_cast<double>(windows.groups));
      m.set("tocsin_correlation_entries", "matches within these windows", {}, static_cast<double>(windows.entries));
      m.set("tocsin_correlation_bytes", "memory of these windows, estimated", {}, static_cast<double>(windows.bytes));
      for (const auto& [why, n] : {std::pair{"too_late", windows.too_late}, {"without_group", windows.without_group},
                                   {"without_value", windows.without_value}, {"forgotten", windows.forgotten}}) {
        m.total("tocsin_correlation_not_counted_total", "matches that correlations could not count", {{"reason", why}}, static_cast<double>(n));
      }
    }
    const sql::CacheCounts statements = sql::cache_counts();
    const char* statements_help = "statements read, by whether their shape was known";
    m.total("tocsin_statements_total", statements_help, {{"cache", "hit"}}, static_cast<double>(statements.hits));
    m.total("tocsin_statements_total", statements_help, {{"cache", "miss"}}, static_cast<double>(statements.misses));
    m.set("tocsin_exposure_open_bytes", "memory held by open segments of the exposure index", {}, static_cast<double>(storage::exposure::open_segments_memory()));
    m.set("tocsin_exposure_damaged_segments", "segments that cannot be read", {}, static_cast<double>(exposure->damaged()));
    m.set("tocsin_journal_durable", "number of the newest durable event", {}, static_cast<double>(journal->durable()));
    m.set("tocsin_ledger_size", "entries in the published ledger", {}, static_cast<double>(state->ledger->head().size));
    m.set("tocsin_ledger_healthy", "1 if decisions can be recorded", {}, state->ledger->healthy() ? 1 : 0);
    auto counts = state->db->read([](storage::Reader& r) { return storage::NoticeStore::counts(r, 0); });
    if (counts) {
      m.set("tocsin_notices", "notices by state", {{"state", "sent"}}, static_cast<double>(counts->sent));
      m.set("tocsin_notices", "notices by state", {{"state", "queued"}}, static_cast<double>(counts->queued + counts->reserved));
      m.set("tocsin_notices", "notices by state", {{"state", "failed"}}, static_cast<double>(counts->failed));
      m.set("tocsin_notices", "notices by state", {{"state", "unknown"}}, static_cast<double>(counts->unknown));
    }
  }

  Result<void> start() {
    const auto tell = [](const std::string& line) { spdlog::info("{}", line); };

    // 1. What survives.
    auto opened = State::open(config.data, config.keys, ledger_origin(config), [](const std::string& line) { spdlog::warn("{}", line); });
    if (!opened) return pass(std::move(opened));
    state = std::move(*opened);
    exposure = std::make_unique<ExposureKeeper>(
        *state->db, config.exposure_keep_days, kWarmRecords,
        ExposureKeeper::Tell{tell, [](const std::string& line) { spdlog::error("{}", line); }});
    storage::Journal::Options journal_options;
    // An older or damaged journal must not give an event a number that the database has had already.
    auto reached = state->db->read([](storage::Reader& r) { return storage::ProgressStore::processed(r); });
    if (!reached) return pass(std::move(reached));
    journal_options.used = *reached;
    auto j = storage::Journal::open(state->dir / "journal", clock, journal_options);
    if (!j) return pass(std::move(j));
    journal = std::move(*j);
    const auto& recovery = journal->recovery();
    if (recovery.torn_bytes > 0) spdlog::warn("journal: {} unfinished bytes at its end were set aside in {}", recovery.torn_bytes, recovery.quarantine);
    for (const storage::JournalGap& gap : recovery.gaps) {
      spdlog::error("journal: events {} to {} are missing ({}, byte {}){}", gap.first, gap.last, gap.file, gap.offset,
                    gap.acknowledged ? "; they had been acknowledged: restore them from a backup" : "");
    }
    if (auto done = state->db->migrate(storage::UserStore::kFamily, storage::UserStore::migrations()); !done) return done;
    users = std::make_unique<storage::UserStore>(*state->db, hasher, ledger_recorder(*state->ledger));

    // 2. What counts as wrong, and whose data it is.
    auto rules = RuleBook::open(config, tell);
    if (!rules) return pass(std::move(rules));
    book = std::move(*rules);
    auto setup = make_setup(config, book->engine(), state->keys, tell);
    if (!setup) return pass(std::move(setup));
    if (auto done = import_registers(*state, config, clock.now(), tell); !done) return done;
    // A first export is the first in the organisation's memory, not in this process's.
    auto exported = state->db->read([](storage::Reader& reader) { return storage::AlertStore::scopes_of_rules(reader, "tocsin.export."); });
    if (!exported) return pass(std::move(exported));
    for (const storage::Scope& scope : *exported) setup->exports.earlier[{scope.actor, scope.dataset}] = scope.to;
    list_other_rules(*setup);
    source_setups = setup->sources;
    PipelineSetup rereading;
    rereading.datasets = setup->datasets;
    rereading.exposure = setup->exposure;
    rereading.sources = setup->sources;
    pipeline = std::make_unique<Pipeline>(std::move(*setup), *state->registers);
    exposure->start(clock.now(), journal->oldest(), [&](const storage::LostSegments& lost, const storage::KeepLost& keep) {
      return reread_reaches(*state, *journal, rereading, kWarmRecords, lost, keep);
    });

    // 3. What people decide.
    auto law = LawCounsel::built_in();
    if (!law) return pass(std::move(law));
    counsel = std::move(*law);
    people = std::make_unique<ExposedPeople>(dataset_map(config));
    Respond::Deps deps{.database = *state->db, .clock = clock, .counsel = *counsel, .people = people.get()};
    deps.record = [this](storage::Transaction& tx, const storage::Entry& entry) -> Result<void> {
      auto index = state->ledger->record(tx, entry);
      if (!index) return pass(std::move(index));
      return {};
    };
    deps.tell = [this](std::string_view kind, std::string_view id) { feed.tell(kind, id); };
    deps.standing_facts = {{"facts", boost::json::object{{"controller", "yes"}, {"eu_establishment", config.organisation.country.empty() ? "unknown" : "yes"}}}};
    deps.user_exists = [this](std::string_view login) {
      auto found = users->find(login);
      return found && *found && !(*found)->disabled;
    };
    deps.first_told = [](storage::Reader& reader, std::int64_t incident) { return first_notice_sent(reader, incident); };
    deps.obstacles = [](storage::Reader& reader, std::int64_t incident) { return unfinished_notices(reader, incident); };
    respond = std::make_unique<Respond>(std::move(deps));
    frozen = std::make_unique<FrozenPeople>(*respond);
    incidents = std::make_unique<IncidentsForNotices>(
        *state->db, *respond, *frozen, *people,
        IncidentsForNotices::Organisation{config.organisation.name, config.organisation.contact, config.organisation.phone, config.organisation.website});

    // 4. Telling people.
    public_url = config.public_url;
    while (!public_url.empty() && public_url.back() == '/') public_url.pop_back();
    auto channel = make_channel();
    if (!channel) return pass(std::move(channel));
    notifier::NoticesOptions notice_options;
    notice_options.public_url = public_url.empty() ? "http://" + config.listen_address + ":" + std::to_string(config.listen_port) : public_url;
    const auto changed = [this](std::int64_t id) { feed.tell("notice", std::to_string(id)); };
    notices = std::make_unique<notifier::Notices>(*state->db, *state->ledger, *state->vault, *incidents, clock, notice_options, changed);
    notifier::DispatchOptions dispatch;
    dispatch.from = config.notices.from;
    dispatch.from_name = config.organisation.name;
    dispatch.per_minute = config.notices.per_minute;
    dispatcher = std::make_unique<notifier::Dispatcher>(*state->db, *state->ledger, *state->vault, *notices, std::move(*channel), clock, dispatch, changed);
    if (auto done = dispatcher->recover(); !done) return done;

    // 5. The network, before the files: a person can look while the backlog is read.
    if (public_url.empty()) public_url = notice_options.public_url;
    add_routes();
    guard = std::make_unique<Guard>(router, *users, clock, &metrics);
    ServerOptions server_options;
    server_options.address = config.listen_address;
    server_options.port = config.listen_port;
    server_options.tls_certificate = config.tls_certificate;
    server_options.tls_key = config.tls_key;
    server_options.trusted_proxies = config.trusted_proxies;
    auto started = Server::start(server_options, *guard, feed);
    if (!started) return pass(std::move(started));
    server = std::move(*started);
    if (config.public_url.empty()) {
      public_url = server->url();
      notices->set_public_url(public_url);
    }
    start_local();
    auto first = first_claim_path(*users, clock.now());
    if (!first) return pass(std::move(first));
    if (*first) claim = public_url + **first;

    // 6. Detection, dispatch, housekeeping.
    auto processed = state->db->read([](storage::Reader& r) { return storage::ProgressStore::processed(r); });
    if (!processed) return pass(std::move(processed));
    if (auto done = warm(*processed); !done) return done;
    if (auto recalled = recall_exports(*state, pipeline->exports()); !recalled) spdlog::error("slow exports are counted anew: {}", recalled.error().text());
    else if (!*recalled) spdlog::warn("slow exports: more than {} people were reached lately, so the oldest of it is not counted over this restart", storage::kMaxRecentPeople);
    threads.emplace_back([this, from = *processed] { detect(from); });
    threads.emplace_back([this] { keep_house(); });
    dispatcher->start();

    // 7. Sources.
    for (const SourceConfig& source : config.sources) {
      if (source.file == "-") {
        threads.emplace_back([this, &source] { read_stdin(source); });
        continue;
      }
      FollowerOptions options;
      options.source = source.name;
      options.patterns = {source.file};
      options.format = source.format;
      auto meter = board.meter(source.name, "file", source.file, source.format);
      auto resume = [this, name = source.name](std::uint64_t stream) -> std::optional<std::uint64_t> {
        const auto at = journal->last_position(name, stream);
        return at ? std::optional(at->position) : std::nullopt;
      };
      auto sink = [this, meter](std::span<const Line> lines) { return take_lines(lines, *meter); };
      followers.push_back(std::make_unique<Follower>(std::move(options), std::move(resume), std::move(sink), clock, meter));
      followers.back()->start();
    }
    return {};
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      wake.notify_all();
    }
    errands.close();
    for (auto& follower : followers) follower->stop();
    if (server) server->stop();
    if (local_server) local_server->stop();
    if (dispatcher) dispatcher->stop();
    for (std::thread& thread : threads) {
      if (thread.joinable()) thread.join();
    }
    threads.clear();
    followers.clear();
    server.reset();
    local_server.reset();
  }
};

Live::Live(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Live::~Live() = default;

Result<std::unique_ptr<Live>> Live::start(const Config& config, const Clock& clock) {
  auto impl = std::make_unique<Impl>(config, clock);
  if (auto started = impl->start(); !started) return pass(std::move(started));
  return std::unique_ptr<Live>(new Live(std::move(impl)));
}

void Live::stop() { impl_->stop(); }
Result<void> Live::reload_rules(const std::string& by) {
  auto content = impl_->reload_rules(by);
  if (!content) return pass(std::move(content));
  spdlog::info("rules loaded again: {} rules, {} correlations, {} refused", content->rules, content->correlations, content->refused);
  return {};
}
std::string Live::url() const { return impl_->public_url; }
std::string Live::claim_url() const { return impl_->claim; }

}  // namespace tocsin::engine
