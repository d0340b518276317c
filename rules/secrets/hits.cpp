// What the rules and the extractor found in a record becomes hits, without doubles; and how a hit is shown.
#include <algorithm>
#include <array>
#include <map>

#include "rules/base/text.hpp"
#include "rules/secrets/compiled.hpp"
#include "rules/secrets/tokens.hpp"

namespace tocsin::rules::secrets {

// Without doubles: a generic rule gives way to a specific one, the own pack to a loaded file, the extractor to a rule.
void Scanner::Compiled::emit(Work& w, std::string_view record, std::size_t offset, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  const auto drop = [&](std::string_view rule, std::size_t start, std::size_t end, const char* why) {
    if (drops != nullptr) drops->push_back({rule, start, end, why});
  };
  const auto give = [&](std::string_view id, std::string_view description, Kind kind, Tier tier, std::size_t start, std::size_t end,
                        std::string_view secret, std::string&& note) {
    Hit& hit = out.emplace_back();
    hit.rule = id;
    hit.description = description;
    hit.kind = kind;
    hit.tier = tier;
    hit.start = start + offset;
    hit.end = end + offset;
    hit.preview = preview(secret);
    if (options.fingerprint) hit.fingerprint = options.fingerprint(secret);
    hit.note = std::move(note);
  };
  const auto secret_of = [&](const Candidate& c) { return record.substr(c.start, c.end - c.start); };

  const std::size_t most = out.size() + w.candidates.size() + w.found.size();
  if (out.capacity() < most) out.reserve(std::max(most, 2 * out.capacity()));
  // Each list only for those that will ask it.
  Specific& specific = w.specific;
  Spans& fields = w.fields;
  specific.clear();
  fields.clear();
  w.foreign.clear();
  bool generic = false;
  bool graded = false;
  for (const Candidate& c : w.candidates) {
    const Entry& entry = rules[c.rule];
    graded = graded || sets[entry.set].graded;
    if (entry.rule->generic) {
      generic = true;
      continue;
    }
    specific.add(c.start, c.end, c.line_start, secret_of(c));
    if (!sets[entry.set].own) w.foreign.emplace_back(c.start, c.end);
  }
  specific.close();
  std::sort(w.foreign.begin(), w.foreign.end());
  if (generic) {
    for (const Found& f : w.found) fields.add(f.start, f.end);
    fields.close();
  }

  // Of a file that grades its rules, the more specific one stands.
  std::map<std::pair<std::uint32_t, int>, Spans> grades;  // by file and specificity
  for (const Candidate& c : w.candidates) {
    if (graded && sets[rules[c.rule].set].graded) grades[{rules[c.rule].set, rules[c.rule].rule->specificity}].add(c.start, c.end);
  }
  for (auto& [grade, spans] : grades) spans.close();
  const auto outdone = [&](const Candidate& c) {
    const std::uint32_t set = rules[c.rule].set;
    for (auto it = grades.upper_bound({set, rules[c.rule].rule->specificity}); it != grades.end() && it->first.first == set; ++it) {
      if (it->second.covers(c.start, c.end)) return true;
    }
    return false;
  };
  for (const Candidate& c : w.candidates) {
    const Rule& rule = *rules[c.rule].rule;
    if (sets[rules[c.rule].set].graded && outdone(c)) {
      drop(rule.id, c.start, c.end, "a more specific rule found it");
      continue;
    }
    // A generic rule gives way to a specific one that found the same secret on the same line.
    const bool shadowed = rule.generic && (specific.holds(c.line_start, secret_of(c)) || fields.covers(c.start, c.end));
    if (shadowed) {
      drop(rule.id, c.start, c.end, "a specific rule found it");
      continue;
    }
    // Of two rules at the same place, the loaded file's stands beside its own kind only.
    const bool own = sets[rules[c.rule].set].own;
    const bool doubled = own && std::binary_search(w.foreign.begin(), w.foreign.end(), std::pair(c.start, c.end));
    TokenFacts facts = inspect_token(secret_of(c));
    // The secret half of an AWS key pair is mute; the id before it names the account.
    if (!facts.known) facts = inspect_token(record.substr(c.match_start, c.match_end - c.match_start));
    if (doubled && !(facts.known && facts.tier == Tier::kVerified)) {
      drop(rule.id, c.start, c.end, "duplicate");
      continue;
    }
    Tier tier = facts.known ? facts.tier : Tier::kPattern;
    if (rule.check == "structure") tier = std::min(tier, Tier::kStructure);
    give(rule.id, rule.description, rule.kind, tier, c.start, c.end, secret_of(c), std::move(facts.note));
  }
  const auto earlier = [](const Found& a, const Found& b) { return a.start != b.start ? a.start < b.start : a.end > b.end; };
  if (!std::is_sorted(w.found.begin(), w.found.end(), earlier)) std::stable_sort(w.found.begin(), w.found.end(), earlier);
  std::size_t other_end = 0;
  for (Found& f : w.found) {
    const std::string_view id = kFieldRuleIds[static_cast<std::size_t>(f.rule)];
    const bool by_rule = specific.spans.overlaps(f.start, f.end);
    const bool by_other = f.start < other_end;
    if (by_rule || by_other) {
      drop(id, f.start, f.end, "duplicate");
      continue;
    }
    other_end = std::max(other_end, f.end);
    const FieldRuleInfo& info = vocabulary.info(f.rule);
    give(id, info.description, info.kind, f.tier, f.start, f.end, f.secret, std::move(f.note));
  }
}

void order_hits(std::vector<Hit>& out, std::size_t first) {
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(first);
  if (out.end() - begin < 2) return;
  const auto earlier = [](const Hit& a, const Hit& b) { return a.start != b.start ? a.start < b.start : a.end > b.end; };
  // Nearly always two or three, and nearly in order.
  constexpr std::ptrdiff_t kFew = 16;
  if (out.end() - begin > kFew) {
    std::stable_sort(begin, out.end(), earlier);
  } else {
    for (auto hit = begin + 1; hit < out.end(); ++hit) {
      for (auto to = hit; to > begin && earlier(*to, *(to - 1)); --to) std::swap(*to, *(to - 1));
    }
  }
  const auto last = std::unique(begin, out.end(), [](const Hit& a, const Hit& b) { return a.start == b.start && a.end == b.end && a.rule == b.rule; });
  out.erase(last, out.end());
}

std::string preview(std::string_view secret) {
  // Visible ASCII, as nearly always: characters are bytes.
  unsigned char others = 0;
  for (const char c : secret) {
    const auto byte = static_cast<unsigned char>(c);
    others = static_cast<unsigned char>(others | static_cast<unsigned char>(byte < ' ') | static_cast<unsigned char>(byte >= 0x7f) | static_cast<unsigned char>(byte == '\\'));
  }
  if (others == 0) {
    const std::size_t shown = std::min<std::size_t>(4, secret.size() / 4);
    const std::size_t back = shown / 2;
    std::array<char, 8> text{};
    char* to = std::copy_n(secret.data(), shown - back, text.data());
    to = std::copy_n("…", std::string_view("…").size(), to);
    to = std::copy_n(secret.data() + secret.size() - back, back, to);
    return {text.data(), to};
  }
  const std::string text = to_utf8(secret);
  std::vector<std::size_t> starts;  // of the characters
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) starts.push_back(i);
  }
  const std::size_t shown = std::min<std::size_t>(4, starts.size() / 4);
  const std::size_t front = (shown + 1) / 2;
  const std::size_t back = shown / 2;
  std::string out = printable(std::string_view(text).substr(0, front < starts.size() ? starts[front] : 0));
  out += "…";
  if (back > 0) out += printable(std::string_view(text).substr(starts[starts.size() - back]));
  return out;
}

std::string redact(std::string_view text, std::span<const Hit> hits) {
  std::vector<const Hit*> ordered;
  for (const auto& hit : hits) ordered.push_back(&hit);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Hit* a, const Hit* b) { return a->start < b->start; });
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < ordered.size();) {
    const std::size_t start = std::min(ordered[i]->start, text.size());
    std::size_t end = std::min(ordered[i]->end, text.size());
    const Hit* shown = ordered[i];
    for (++i; i < ordered.size() && ordered[i]->start < end; ++i) end = std::max(end, std::min(ordered[i]->end, text.size()));
    if (end <= start) continue;
    out += text.substr(at, start - at);
    out += "‹" + shown->preview + "›";
    at = end;
  }
  out += text.substr(std::min(at, text.size()));
  return out;
}

}  // namespace tocsin::rules::secrets
