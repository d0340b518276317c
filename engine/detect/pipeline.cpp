// Decode, read exposure, run the three kinds of detector, and make evidence that is safe to show.
#include "engine/detect/pipeline.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "engine/detect/access_event.hpp"
#include "engine/detect/episodes.hpp"
#include "engine/intake/recognise.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace secrets = rules::secrets;
namespace sigma = rules::sigma;

constexpr std::size_t kMaxFiles = 10'000;          // decoders kept, one per source and format
constexpr std::size_t kPreviewSource = 2'000;      // bytes of a record that a preview is made from
constexpr std::string_view kPostedFormat = "POST /v1/events?format=";
constexpr std::size_t kMaxOpenings = 4'096;        // DECLARE and PREPARE statements whose text is remembered
constexpr std::size_t kShortestSought = 4;         // bytes of a secret that is looked for in other texts
constexpr std::size_t kLongReason = 300;           // bytes after which nothing more is added to a reason
constexpr std::size_t kMaxTold = 100'000;
constexpr Duration kEpisodeGap = std::chrono::hours(1);
// A record dated later than this after its arrival has a wrong clock; it must not move the windows of others on.
constexpr Duration kClockError = std::chrono::minutes(1);

storage::Level level_of(sigma::Level level) {
  switch (level) {
    case sigma::Level::kInformational: return storage::Level::kInformational;
    case sigma::Level::kLow: return storage::Level::kLow;
    case sigma::Level::kMedium: return storage::Level::kMedium;
    case sigma::Level::kHigh: return storage::Level::kHigh;
    case sigma::Level::kCritical: return storage::Level::kCritical;
  }
  return storage::Level::kMedium;
}

std::string lower_first(std::string text) {
  // "Password in …" → "password in …", but "GitHub token" and "AWS key" stay.
  const bool plain = text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z' &&
                     std::none_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(std::min(text.find(' '), text.size())),
                                  [](char c) { return c >= 'A' && c <= 'Z'; });
  if (plain) text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

// What a secret is called in a title.
std::string secret_noun(const secrets::Hit& hit) {
  if (to_lower(hit.rule).find("password") != std::string::npos || to_lower(hit.description).find("password") != std::string::npos) return "password";
  return lower_first(std::string(hit.description.empty() ? hit.rule : hit.description));
}

}  // namespace

void Effects::clear() {
  findings.clear();
  reaches.clear();
  failures.clear();
  counts.clear();
  accesses = 0;
  finding_at_.clear();
  reach_at_.clear();
}

void Effects::add(storage::Finding&& finding) {
  const auto [at, is_new] = finding_at_.try_emplace(finding.id, findings.size());
  if (is_new) findings.push_back(std::move(finding));
  else merge_finding(findings[at->second], std::move(finding));
}

void Effects::add(Reach&& reach) {
  const auto [at, is_new] = reach_at_.try_emplace(reach.key, reaches.size());
  if (is_new) reaches.push_back(std::move(reach));
  else reaches[at->second] = std::move(reach);
}

void merge_finding(storage::Finding& into, storage::Finding&& more) {
  std::vector<storage::Evidence> evidence = std::move(into.evidence);
  std::vector<storage::Evidence> added = std::move(more.evidence);
  const auto same = [](const storage::Evidence& a, const storage::Evidence& b) { return a.line == b.line && a.seq == b.seq && a.file == b.file; };
  const bool whole = !added.empty() && !evidence.empty() && added.size() >= evidence.size() && same(added.front(), evidence.front());
  if (whole) {
    evidence = std::move(added);
  } else {
    for (auto& e : added) {
      if (evidence.size() >= storage::Finding::kMaxEvidence) break;
      if (evidence.empty() || !same(evidence.back(), e)) evidence.push_back(std::move(e));
    }
  }
  const Time first = std::min(into.time, more.time);
  into = std::move(more);
  into.time = first;
  into.evidence = std::move(evidence);
}

struct Pipeline::Impl {
  PipelineSetup setup;
  storage::Registers& registers;
  ExposureReader reader;
  std::optional<ExposureReader> bystander;  // see warm()
  ExportDetector exports;
  std::optional<CorrelationDetector> correlations;
  Episodes episodes{kEpisodeGap};
  rules::Arena arena;
  std::vector<Decoded> decoded;
  std::vector<Reach> reaches;
  std::vector<storage::Finding> found;
  std::vector<sigma::Match> matches;
  std::vector<secrets::Hit> hits;
  std::vector<storage::Finding> correlated;
  LogReaders log_readers;
  std::vector<LogReaders::Told> log_told;
  std::unordered_set<std::string> told;  // findings of correlations that were counted already
  std::map<std::string, std::uint64_t, std::less<>> rule_counts;
  std::unordered_map<std::string, std::unique_ptr<Decoder>> decoders;  // by source + format
  std::unordered_map<std::string, std::string> formats;                // recognised, by source + file
  // A cursor's DECLARE becomes evidence only when it is fetched from, records later: its text is kept till then.
  std::unordered_map<std::string, std::string> openings;  // place of the record -> statement

  Impl(PipelineSetup s, storage::Registers& r)
      : setup(std::move(s)), registers(r), reader(setup.datasets, registers, setup.exposure), exports(setup.exports) {
    if (setup.rules) correlations.emplace(setup.rules, setup.correlations);
    for (const auto& [name, source] : setup.sources) {
      for (const LogPlace& place : source.read_at) log_readers.add_place(name, place);
    }
  }

  const SourceSetup* source(std::string_view name) const {
    const auto at = setup.sources.find(name);
    return at == setup.sources.end() ? nullptr : &at->second;
  }

  std::string described(std::string_view name) const {
    const SourceSetup* s = source(name);
    return s != nullptr && !s->description.empty() ? s->description : std::string(name);
  }

  Result<std::string> format_of(const Incoming& record) {
    if (const SourceSetup* s = source(record.source); s != nullptr && !s->format.empty()) return s->format;
    if (record.file.substr(0, kPostedFormat.size()) == kPostedFormat) return std::string(record.file.substr(kPostedFormat.size()));
    std::string key = std::string(record.source) + '\n' + std::string(record.file);
    if (const auto at = formats.find(key); at != formats.end()) return at->second;
    auto recognised = recognise(std::string(record.payload) + "\n");
    if (!recognised) return pass(std::move(recognised));
    if (formats.size() >= kMaxFiles) formats.clear();
    formats.emplace(std::move(key), recognised->format);
    return recognised->format;
  }

  Result<Decoder*> decoder_of(const Incoming& record) {
    auto format = format_of(record);
    if (!format) return pass(std::move(format));
    std::string key = std::string(record.source) + '\n' + *format;
    auto at = decoders.find(key);
    if (at == decoders.end()) {
      if (decoders.size() >= kMaxFiles) decoders.clear();
      const SourceSetup* s = source(record.source);
      auto made = make_decoder(*format, s != nullptr ? s->decoder : DecoderOptions());
      if (!made) return pass(std::move(made));
      at = decoders.emplace(std::move(key), std::move(*made)).first;
    }
    return at->second.get();
  }

  Result<void> decode(const Incoming& record) {
    arena.reset();
    decoded.clear();
    auto decoder = decoder_of(record);
    if (!decoder) return pass(std::move(decoder));
    Origin origin;
    origin.source = record.source;
    origin.file = record.file;
    origin.line = record.line;
    origin.seq = record.seq;
    return (*decoder)->decode(record.payload, origin, arena, decoded);
  }

  // A text that may be shown: secrets are redacted, control characters escaped.
  std::string safe_preview(std::string_view text) const {
    const std::string_view piece = text.substr(0, kPreviewSource);
    if (!setup.scanner) return printable(piece, storage::Evidence::kMaxPreview - 4);
    std::vector<secrets::Hit> found_here;
    setup.scanner->scan(piece, found_here);
    return printable(secrets::redact(piece, found_here), storage::Evidence::kMaxPreview - 4);
  }

  // A field's value that may be shown. Its name is scanned with it, since it may be all that tells a password from a
  // word; and what is a secret in the record is one here too.
  std::string safe_value(std::string_view field, std::string_view value, std::string_view payload) const {
    if (!setup.scanner) return printable(value, storage::Evidence::kMaxPreview - 4);
    const std::string name(field.substr(field.rfind('.') == std::string_view::npos ? 0 : field.rfind('.') + 1));
    const std::string named = name + "=" + std::string(value);
    std::vector<secrets::Hit> found_here;
    setup.scanner->scan(named, found_here);
    std::string shown = secrets::redact(named, found_here);
    if (!shown.starts_with(name + "=")) return "‹…›";
    shown.erase(0, name.size() + 1);
    found_here.clear();
    setup.scanner->scan(payload, found_here);
    for (const secrets::Hit& hit : found_here) {
      const std::string_view secret = payload.substr(hit.start, hit.end - hit.start);
      for (std::size_t at = 0; secret.size() >= kShortestSought && (at = shown.find(secret, at)) != std::string::npos; at += hit.preview.size()) {
        shown.replace(at, secret.size(), hit.preview);
      }
    }
    return safe_preview(shown);
  }

  static storage::Evidence evidence_of(const Incoming& record, Time time) {
    storage::Evidence e;
    e.source = record.source;
    e.file = record.file;
    e.line = record.line;
    e.seq = record.seq;
    e.time = time;
    return e;
  }

  static std::string place_of(std::string_view file, std::uint64_t line, std::uint64_t seq) {
    return std::string(file) + '\n' + std::to_string(line) + '\n' + std::to_string(seq);
  }

  void remember_opening(const Incoming& record, const Statement& statement) {
    if (statement.command.rfind("DECLARE", 0) != 0 && statement.command.rfind("PREPARE", 0) != 0) return;
    if (openings.size() >= kMaxOpenings) openings.clear();
    openings[place_of(record.file, record.line, record.seq)] = statement.text.substr(0, kPreviewSource);
  }

  static std::string evidence_key(const Incoming& record, std::string_view event_id) {
    std::string key(record.source);
    key += '\n';
    if (!event_id.empty()) return key + std::string(event_id);
    key += record.file;
    key += '\n' + std::to_string(record.line) + '\n';
    return key + to_hex(sha256(record.payload)).substr(0, 16);
  }

  // Fills `matches`: first the rules that are true for the record as it came, then those for its normalised form.
  // Says how many the first are. A rule without a log source sees both forms; it still is one match.
  std::size_t match(const rules::Event& raw, const rules::Event& normal) {
    matches.clear();
    setup.rules->match(raw, matches);
    const std::size_t raw_matches = matches.size();
    setup.rules->match(normal, matches);
    const auto raw_end = matches.begin() + static_cast<std::ptrdiff_t>(raw_matches);
    const auto again = [&](const sigma::Match& m) {
      return std::any_of(matches.begin(), raw_end, [&](const sigma::Match& before) { return before.rule == m.rule; });
    };
    matches.erase(std::remove_if(raw_end, matches.end(), again), matches.end());
    return raw_matches;
  }

  // Both forms of the record, each with its matches. `effects` null: only the windows change.
  void see_correlations(const Incoming& record, const Decoded& one, const rules::Event& normal, std::size_t raw_matches,
                        const std::vector<Reach>& reached, Effects* effects) {
    if (!correlations || !one.access.time_known) return;
    const Time time = std::min(one.access.time, record.arrived + kClockError);
    const storage::Evidence place = evidence_of(record, time);
    const std::function<std::string()> preview = [&] {
      return safe_preview(one.access.statement.text.empty() ? one.raw : std::string_view(one.access.statement.text));
    };
    const std::span<const sigma::Match> all(matches);
    correlated.clear();
    correlations->see({one.event, all.first(raw_matches), one.access, time, place, reached, preview}, correlated);
    if (raw_matches < all.size()) correlations->see({normal, all.subspan(raw_matches), one.access, time, place, reached, preview}, correlated);
    if (effects != nullptr) tell_correlated(*effects);
  }

  void tell_correlated(Effects& effects) {
    for (storage::Finding& finding : correlated) {
      if (told.insert(finding.id).second) ++rule_counts[finding.rule];
      if (told.size() > kMaxTold) told.clear();
      effects.add(std::move(finding));
    }
    correlated.clear();
  }

  void see_rules(const Incoming& record, const Decoded& one, const std::vector<Reach>& reached, Effects& effects) {
    if (!setup.rules) return;
    const rules::Event normal = access_event(one.access, arena);
    const std::size_t raw_matches = match(one.event, normal);
    see_correlations(record, one, normal, raw_matches, reached, &effects);
    for (std::size_t i = 0; i < matches.size(); ++i) {
      if (matches[i].silent) continue;  // only a correlation counts it
      const sigma::Rule& rule = *matches[i].rule;
      const Access& a = one.access;
      const Time time = a.time_known ? a.time : record.arrived;
      storage::Finding f;
      f.rule = rule.key();
      ++rule_counts[f.rule];
      f.actor = a.actor.shown();
      // The catalogue of a database is nobody's data: its dozens of tables are one thing.
      const std::string& dataset = a.resource.dataset;
      if (dataset.rfind("pg_catalog.", 0) != 0 && dataset.rfind("information_schema.", 0) != 0) f.dataset = dataset;
      f.title = rule.title + (f.actor.empty() ? "" : ": " + printable(f.actor, 120));
      f.alert_title = f.title;
      f.level = level_of(rule.level);
      f.kind = "rule";
      f.group = "rule/" + f.rule + "/" + f.actor;
      f.time = f.last = time;
      f.reason = rule.description;
      std::string because;
      std::set<std::pair<std::string, std::string>> said;  // several tests of one value are one thing to a reader
      for (const sigma::Reason& reason : setup.rules->explain(i < raw_matches ? one.event : normal, rule)) {
        if (reason.field.empty() || because.size() > kLongReason || !said.emplace(reason.field, reason.value).second) continue;
        because += (because.empty() ? "" : "; ") + reason.field + " is " + safe_value(reason.field, reason.value, record.payload);
      }
      if (!because.empty()) f.reason += (f.reason.empty() ? "Seen: " : " Seen: ") + because + ".";
      storage::Evidence e = evidence_of(record, time);
      e.preview = safe_preview(a.statement.text.empty() ? one.raw : std::string_view(a.statement.text));
      f.evidence.push_back(std::move(e));
      for (const Reach& reach : reached) {
        if (reach.dataset.empty()) continue;
        f.exposure = storage::ExposureSummary{reach.grade, reach.at_least, reach.at_most};
        f.dataset = reach.dataset;
        break;
      }
      episodes.join(f.rule + '\n' + f.actor + '\n' + f.dataset, evidence_key(record, a.event_id), f);
      effects.add(std::move(f));
    }
  }

  // The alert that a secret in a record belongs to.
  static LogReaders::Leak leak_of(const Incoming& record, const std::string& where, const secrets::Hit& hit, Time time) {
    const std::string noun = secret_noun(hit);
    const bool personal = hit.kind == secrets::Kind::kPersonal;
    LogReaders::Leak leak;
    leak.group = "secret/" + std::string(record.source) + "/" + (personal ? "personal" : noun);
    leak.alert_title = personal ? "Personal number in plain text (" + noun + ") in " + where : "Plaintext " + noun + " in " + where;
    leak.noun = noun;
    leak.time = time;
    return leak;
  }
  // Whose number it is, where the record tells.
  static const Reach* owner_of(const secrets::Hit& hit, const std::vector<Reach>& reached) {
    if (hit.kind != secrets::Kind::kPersonal) return nullptr;
    const auto at = std::find_if(reached.begin(), reached.end(), [](const Reach& reach) { return !reach.dataset.empty() && !reach.whole; });
    return at == reached.end() ? nullptr : &*at;
  }

  // What a record that was processed before did to what is known of logs and their readers.
  void warm_log_readers(const Incoming& record, const std::vector<Reach>& reached) {
    Time time = record.arrived;
    for (Decoded& one : decoded) {
      if (one.access.time_known) time = one.access.time;
      else one.access.time = record.arrived;
      log_readers.read(one.access, log_told);
    }
    if (setup.scanner && log_readers.watches(record.source)) {
      hits.clear();
      setup.scanner->scan(record.payload, hits);
      const std::vector<Reach> none;
      const std::string where = described(record.source);
      for (const secrets::Hit& hit : hits) {
        const Reach* owner = owner_of(hit, decoded.size() == 1 ? reached : none);
        log_readers.stood(record.source, where, leak_of(record, where, hit, time), owner, log_told);
      }
    }
    log_told.clear();  // it was told then
  }

  // `reached`: whom the record itself is about, where it tells; then a personal number in it is theirs.
  void see_secrets(const Incoming& record, Time time, const std::vector<Reach>& reached, Effects& effects) {
    if (!setup.scanner) return;
    hits.clear();
    setup.scanner->scan(record.payload, hits);
    if (hits.empty()) return;
    const std::string shown = printable(secrets::redact(record.payload.substr(0, kPreviewSource), hits), storage::Evidence::kMaxPreview - 4);
    const std::string where = described(record.source);
    for (const secrets::Hit& hit : hits) {
      const bool personal = hit.kind == secrets::Kind::kPersonal;
      const LogReaders::Leak leak = leak_of(record, where, hit, time);
      const std::string& noun = leak.noun;
      storage::Finding f;
      f.rule = "tocsin.secret." + std::string(hit.rule);
      ++rule_counts[f.rule];
      f.title = leak.alert_title;
      f.alert_title = f.title;
      f.level = personal || hit.tier == secrets::Tier::kPattern ? storage::Level::kMedium : storage::Level::kHigh;
      if (noun == "password") f.level = storage::Level::kHigh;
      f.kind = "secret";
      f.secret = hit.fingerprint;
      f.group = leak.group;
      f.time = f.last = time;
      std::string what = with_article(noun);
      what.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(what.front())));
      f.reason = what + " stands readable in " + where + " (" + hit.preview + "). Whoever can read that log " + (personal ? "learns" : "can use") +
                 " it. It is not kept here: only this preview and a fingerprint.";
      if (!hit.note.empty() && !iequals(hit.note, noun)) f.reason += " " + hit.note + ".";
      const Reach* const owner = owner_of(hit, reached);
      if (owner != nullptr) {
        f.dataset = owner->dataset;
        f.exposure = storage::ExposureSummary{owner->grade, owner->at_least, owner->at_most};
      }
      storage::Evidence e = evidence_of(record, time);
      e.preview = shown;
      f.evidence.push_back(std::move(e));
      const std::string key = f.rule + '\n' + std::string(record.source) + '\n' + hit.fingerprint;
      episodes.join(key, std::string(record.source) + '\n' + hit.fingerprint + '\n' + evidence_key(record, ""), f);
      log_readers.stood(record.source, where, leak, owner, log_told);
      if (const std::string readers = log_readers.readers_of(record.source); !readers.empty()) f.reason += " Read since by: " + readers + ".";
      effects.add(std::move(f));
    }
  }

  // Whoever read a log in which secrets stand. The evidence is the access, which may be a record of before.
  void tell_log_readers(Effects& effects) {
    for (LogReaders::Told& read : log_told) {
      storage::Finding& f = read.finding;
      ++rule_counts[f.rule];
      storage::Evidence e;
      e.source = read.origin.source;
      e.file = read.origin.file;
      e.line = read.origin.line;
      e.seq = read.origin.seq;
      e.time = f.time;
      e.preview = printable(f.title, storage::Evidence::kMaxPreview - 4);
      f.evidence.push_back(std::move(e));
      episodes.join(read.key, read.key + '\n' + read.origin.source + '\n' + read.origin.file + '\n' + std::to_string(read.origin.line) + '\n' + std::to_string(read.origin.seq), f);
      effects.add(std::move(f));
      for (Reach& reach : read.reaches) effects.add(std::move(reach));
    }
    log_told.clear();
  }

  void see(const Incoming& record, Effects& effects) {
    auto& count = effects.counts[std::string(record.source)];
    auto done = decode(record);
    if (!done) {
      effects.failures.push_back({std::string(record.source), std::string(record.file), record.line, done.error().text(), safe_preview(record.payload)});
      see_secrets(record, record.arrived, {}, effects);
      tell_log_readers(effects);
      return;
    }
    ++count.decoded;
    Time time = record.arrived;
    std::vector<Reach> about;
    for (Decoded& one : decoded) {
      ++effects.accesses;
      if (one.access.time_known) {
        time = one.access.time;
        if (!count.newest || *count.newest < time) count.newest = time;
      } else {
        one.access.time = record.arrived;
      }
      reaches.clear();
      reader.read(one.access, reaches);
      remember_opening(record, one.access.statement);
      log_readers.read(one.access, log_told);
      see_rules(record, one, reaches, effects);
      found.clear();
      exports.see(one.access, reaches, found);
      for (storage::Finding& f : found) {
        ++rule_counts[f.rule];
        for (storage::Evidence& e : f.evidence) {
          if (e.line == record.line && e.seq == record.seq && e.file == record.file) {
            e.preview = safe_preview(one.access.statement.text.empty() ? one.raw : std::string_view(one.access.statement.text));
          } else if (e.preview.empty()) {
            const auto opening = openings.find(place_of(e.file, e.line, e.seq));
            if (opening != openings.end()) e.preview = safe_preview(opening->second);
          }
        }
        effects.add(std::move(f));
      }
      about = reaches;
      for (Reach& reach : reaches) effects.add(std::move(reach));
    }
    // Several accesses in one record: which of them a secret belongs to cannot be said.
    if (decoded.size() != 1) about.clear();
    see_secrets(record, time, about, effects);
    tell_log_readers(effects);
  }
};

Pipeline::Pipeline(PipelineSetup setup, storage::Registers& registers) : impl_(std::make_unique<Impl>(std::move(setup), registers)) {}
Pipeline::~Pipeline() = default;

void Pipeline::see(const Incoming& record, Effects& effects) { impl_->see(record, effects); }

void Pipeline::set_format(const std::string& source, const std::string& format) { impl_->setup.sources[source].format = format; }

void Pipeline::warm(const Incoming& record, const std::vector<Reach>& reached, const Warm& what) {
  Impl& impl = *impl_;
  const bool read = impl.decode(record).has_value();
  if (!read) impl.decoded.clear();
  // What is only read once more must not change sessions that have gone on: a reader of its own completes it.
  if (what.sessions) impl.bystander.reset();
  else if ((what.windows || what.readers) && !impl.bystander) impl.bystander.emplace(impl.setup.datasets, impl.registers, impl.setup.exposure);
  for (Decoded& one : impl.decoded) {
    if (what.sessions) impl.reader.warm(one.access);
    else if (impl.bystander) impl.bystander->warm(one.access);
    if (!what.windows || !impl.setup.rules) continue;
    const rules::Event normal = access_event(one.access, impl.arena);
    const std::size_t raw_matches = impl.match(one.event, normal);
    impl.see_correlations(record, one, normal, raw_matches, reached, nullptr);
  }
  if (what.readers) impl.warm_log_readers(record, reached);
}

ExportDetector& Pipeline::exports() noexcept { return impl_->exports; }

void Pipeline::advance(Time newest, Effects& effects) {
  if (!impl_->correlations) return;
  impl_->correlations->advance(newest, impl_->correlated);
  impl_->tell_correlated(effects);
}

void Pipeline::finish(Effects& effects) {
  if (!impl_->correlations) return;
  impl_->correlations->finish(impl_->correlated);
  impl_->tell_correlated(effects);
}

void Pipeline::adopt(std::shared_ptr<const sigma::Engine> rules) {
  impl_->setup.rules = rules;
  if (impl_->correlations) impl_->correlations->adopt(std::move(rules));
  else impl_->correlations.emplace(std::move(rules), impl_->setup.correlations);
}

std::string Pipeline::save_windows() const { return impl_->correlations ? impl_->correlations->save() : std::string(); }

Result<void> Pipeline::restore_windows(std::string_view bytes) {
  if (!impl_->correlations) return {};
  return impl_->correlations->restore(bytes);
}

sigma::Correlator::Statistics Pipeline::windows() const {
  return impl_->correlations ? impl_->correlations->statistics() : sigma::Correlator::Statistics();
}

void Pipeline::reread(const Incoming& record, Effects& effects) {
  Impl& impl = *impl_;
  if (!impl.decode(record)) return;
  for (Decoded& one : impl.decoded) {
    if (!one.access.time_known) one.access.time = record.arrived;
    impl.reaches.clear();
    impl.reader.reread(one.access, impl.reaches);
    for (Reach& reach : impl.reaches) effects.add(std::move(reach));
  }
}

void Pipeline::forget_sessions() { impl_->reader.forget_sessions(); }

LearnedBytes Pipeline::save_learned() const { return impl_->reader.save(); }

Result<LearnedCounts> Pipeline::restore_learned(std::string_view bytes) { return impl_->reader.restore(bytes); }

std::string Pipeline::save_log_readers() const { return impl_->log_readers.save(); }

Result<void> Pipeline::restore_log_readers(std::string_view bytes) { return impl_->log_readers.restore(bytes, impl_->registers); }

Result<const std::vector<Decoded>*> Pipeline::decode(const Incoming& record) {
  if (auto done = impl_->decode(record); !done) return pass(std::move(done));
  for (Decoded& one : impl_->decoded) {
    impl_->reaches.clear();
    impl_->reader.read(one.access, impl_->reaches);
  }
  return &impl_->decoded;
}

const std::map<std::string, std::uint64_t, std::less<>>& Pipeline::rule_counts() const noexcept { return impl_->rule_counts; }

}  // namespace tocsin::engine
