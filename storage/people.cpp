// Plain maps; every doubt adds people, none takes them away.
#include "storage/people.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <sodium.h>

#include "rules/base/text.hpp"
#include "storage/mysql_value.hpp"

namespace tocsin::storage {
namespace {

// The id as an integer if it is written as PostgreSQL prints one: no sign but '-', no leading zeros.
std::optional<std::int64_t> as_integer(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || std::to_string(out) != text) return std::nullopt;
  return out;
}

template <class T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

HashValue process_hash() {
  struct Key {
    unsigned char bytes[crypto_generichash_KEYBYTES];
  };
  auto key = std::make_shared<Key>();
  if (sodium_init() < 0) std::abort();
  randombytes_buf(key->bytes, sizeof key->bytes);
  return [key](std::string_view dataset, std::string_view column, std::string_view value) {
    ValueHash out{};
    std::string input;
    for (const std::string_view part : {dataset, column, value}) {
      const std::uint64_t size = part.size();
      input.append(reinterpret_cast<const char*>(&size), sizeof size);
      input.append(part);
    }
    crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(input.data()), input.size(),
                       key->bytes, sizeof key->bytes);
    return out;
  };
}

std::string comparable(std::string_view value) {
  std::string out = to_lower(trim(value));
  const bool minus = !out.empty() && out[0] == '-';
  std::string_view digits = std::string_view(out).substr(minus || (!out.empty() && out[0] == '+') ? 1 : 0);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return out;
  }
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  if (minus && digits != "0") return "-" + std::string(digits);
  return std::string(digits);
}

std::size_t People::HashOfHash::operator()(const ValueHash& h) const noexcept {
  std::size_t out = 0;
  std::memcpy(&out, h.data(), sizeof out);
  return out;
}

std::optional<PersonNo> People::find(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

bool People::only_integers() const {
  return std::none_of(not_integers_.begin(), not_integers_.end(), [&](PersonNo no) { return entries_[no].listed; });
}

std::optional<std::vector<PersonNo>> People::similar(std::string_view id) const {
  const auto ascii = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  if (!ascii(id)) return std::nullopt;
  for (; folded_to_ < entries_.size(); ++folded_to_) {
    const std::string& known = entries_[folded_to_].id;
    const auto no = static_cast<PersonNo>(folded_to_);
    if (!ascii(known)) not_ascii_.push_back(no);
    else if (!known.empty()) folded_[mysql_fold(trim(known))].push_back(no);
  }
  std::vector<PersonNo> out = not_ascii_;
  if (const auto found = folded_.find(mysql_fold(trim(id))); found != folded_.end()) {
    out.insert(out.end(), found->second.begin(), found->second.end());
  }
  sort_unique(out);
  return out;
}

std::uint64_t People::count(const Span& when) const {
  std::uint64_t out = entries_.size() - bounded_.size();
  for (const PersonNo no : bounded_) out += entries_[no].valid.meets(when) ? 1U : 0U;
  return out;
}

std::vector<PersonNo> People::everyone(const Span& when) const {
  std::vector<PersonNo> out;
  out.reserve(entries_.size());
  for (PersonNo no = 0; no < entries_.size(); ++no) {
    if (entries_[no].valid.meets(when)) out.push_back(no);
  }
  return out;
}

std::optional<std::vector<PersonNo>> People::between(std::optional<std::int64_t> low, std::optional<std::int64_t> high,
                                                     const Span& when) const {
  if (!registered_ || incomplete_since_) return std::nullopt;
  if (ordered_.size() < not_integers_.size()) return std::nullopt;  // a key of texts
  if (!ordered_sorted_) {
    std::sort(ordered_.begin(), ordered_.end());
    ordered_sorted_ = true;
  }
  std::vector<PersonNo> out;
  auto it = low ? std::lower_bound(ordered_.begin(), ordered_.end(), std::pair<std::int64_t, PersonNo>{*low, 0})
                : ordered_.begin();
  for (; it != ordered_.end() && (!high || it->first <= *high); ++it) {
    if (entries_[it->second].valid.meets(when)) out.push_back(it->second);
  }
  for (const PersonNo no : not_integers_) {
    if (entries_[no].valid.meets(when)) out.push_back(no);
  }
  sort_unique(out);
  return out;
}

std::optional<std::vector<PersonNo>> People::having(std::string_view column, const std::vector<std::string>& values,
                                                    const Span& when) const {
  if (!usable(column)) return std::nullopt;
  std::vector<PersonNo> out;
  const auto by_value = held_.find(column);
  if (by_value != held_.end()) {
    for (const std::string& value : values) {
      const auto found = by_value->second.find(hash_(dataset_, column, comparable(value)));
      if (found == by_value->second.end()) continue;
      for (const Held& held : found->second) {
        if (held.valid.meets(when) && entries_[held.no].valid.meets(when)) out.push_back(held.no);
      }
    }
  }
  for (const PersonNo no : unknown_attributes_) {
    if (entries_[no].valid.meets(when)) out.push_back(no);
  }
  sort_unique(out);
  return out;
}

bool People::is_column(std::string_view column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

bool People::usable(std::string_view column) const {
  return registered_ && !incomplete_since_ && tainted_.count(std::string(column)) == 0 && is_column(column);
}

const ValueShape* People::shape(std::string_view column) const {
  const auto texts = texts_.find(column);
  const auto held = held_.find(column);
  if (texts == texts_.end()) return nullptr;
  // Each hash needs a text, or a value that nobody can read may have another form.
  return held == held_.end() || texts->second.by_hash.size() >= held->second.size() ? &texts->second.shape : nullptr;
}

std::optional<std::vector<PersonNo>> People::judged(std::string_view column, bool wanted, const Judge& judge,
                                                    const Span& when) const {
  if (!usable(column)) return std::nullopt;
  const auto says = [&](std::string_view value) {
    const Verdict v = judge(value);
    return wanted ? v.holds : v.fails;
  };
  std::vector<PersonNo> out;
  const bool without = says("");
  std::vector<bool> covered(without ? entries_.size() : 0);
  const auto texts = texts_.find(column);
  if (const auto by_value = held_.find(column); by_value != held_.end()) {
    for (const auto& [hash, holders] : by_value->second) {
      const std::vector<std::string>* known = nullptr;
      if (texts != texts_.end()) {
        if (const auto found = texts->second.by_hash.find(hash); found != texts->second.by_hash.end()) known = &found->second;
      }
      const bool meant = known == nullptr || std::any_of(known->begin(), known->end(), says);
      const bool empty = known != nullptr && known->size() == 1 && known->front().empty();
      for (const Held& held : holders) {
        const Span& valid = entries_[held.no].valid;
        if (meant && held.valid.meets(when) && valid.meets(when)) out.push_back(held.no);
        if (without && !empty && held.valid.from <= std::max(when.from, valid.from) && held.valid.to >= std::min(when.to, valid.to)) {
          covered[held.no] = true;
        }
      }
    }
  }
  for (PersonNo no = 0; without && no < entries_.size(); ++no) {
    if (!covered[no] && entries_[no].valid.meets(when)) out.push_back(no);
  }
  for (const PersonNo no : unknown_attributes_) {
    if (entries_[no].valid.meets(when)) out.push_back(no);
  }
  sort_unique(out);
  return out;
}

void People::Texts::fold(const ValueHash& hash, std::string_view value) const {
  if (mysql_plain(value)) folded[mysql_fold(value == kEmptyText ? "" : value)].push_back(hash);
  else not_plain.push_back(hash);
}

std::size_t People::different(std::string_view column) const {
  const auto held = held_.find(column);
  return held == held_.end() ? 0 : held->second.size();
}

std::optional<std::vector<PersonNo>> People::judged_equals(std::string_view column, const std::vector<std::string>& texts,
                                                           const Judge& judge, const Span& when) const {
  const auto known = texts_.find(column);
  const auto by_value = held_.find(column);
  if (shape(column) == nullptr || known == texts_.end() || by_value == held_.end() || judge("").holds) return judged(column, true, judge, when);
  if (!usable(column)) return std::nullopt;
  const Texts& own = known->second;
  if (!own.is_folded) {
    for (const auto& [hash, spellings] : own.by_hash) {
      for (const std::string& value : spellings) own.fold(hash, value);
    }
    own.is_folded = true;
  }
  std::vector<PersonNo> out;
  const auto look = [&](const std::vector<ValueHash>& hashes) {
    for (const ValueHash& hash : hashes) {
      const auto spellings = own.by_hash.find(hash);
      const auto holders = by_value->second.find(hash);
      if (spellings == own.by_hash.end() || holders == by_value->second.end()) continue;
      if (std::none_of(spellings->second.begin(), spellings->second.end(), [&](const std::string& value) { return judge(value).holds; })) continue;
      for (const Held& held : holders->second) {
        if (held.valid.meets(when) && entries_[held.no].valid.meets(when)) out.push_back(held.no);
      }
    }
  };
  look(own.not_plain);
  for (const std::string& text : texts) {
    if (const auto found = own.folded.find(mysql_fold(text)); found != own.folded.end()) look(found->second);
  }
  for (const PersonNo no : unknown_attributes_) {
    if (entries_[no].valid.meets(when)) out.push_back(no);
  }
  sort_unique(out);
  return out;
}

bool People::keep_text(const std::string& column, const ValueHash& hash, std::string_view value) {
  Texts& texts = texts_[column];
  std::vector<std::string>& spellings = texts.by_hash[hash];
  const auto lacking = without_text_.find(column);
  const bool all_had = lacking == without_text_.end() || lacking->second.count(hash) == 0;
  if (std::find(spellings.begin(), spellings.end(), value) != spellings.end()) return spellings.size() > 1 || !all_had;
  spellings.emplace_back(value);
  texts.shape.see(value);
  if (texts.is_folded) texts.fold(hash, value);
  return true;
}

void People::restore_texts(PersonNo no, const Attributes& texts) {
  std::vector<ColumnHash> told;
  for (const auto& [column, value] : texts) {
    const ValueHash hash = hash_(dataset_, column, comparable(value));
    const auto held = held_.find(column);
    if (held == held_.end() || held->second.count(hash) == 0) continue;
    keep_text(column, hash, value);
    told.emplace_back(column, hash);
  }
  for (const auto* held : {&current_, &ended_}) {
    const auto own = held->find(no);
    if (own == held->end()) continue;
    for (const ColumnHash& one : own->second) {
      if (std::find(told.begin(), told.end(), one) == told.end()) without_text_[one.first].insert(one.second);
    }
  }
}

void People::texts_restored() {
  ended_.clear();
  for (auto& [column, hashes] : without_text_) {
    const ValueHash empty = hash_(dataset_, column, comparable(""));
    if (hashes.erase(empty) > 0) keep_text(column, empty, "");  // nobody needs to be told how nothing is written
    for (const ValueHash& hash : hashes) texts_[column].by_hash.erase(hash);
  }
}

void People::index_key(PersonNo no) {
  const Entry& entry = entries_[no];
  if (!entry.id.empty()) {
    by_id_.emplace(entry.id, no);
    if (const auto number = as_integer(entry.id)) {
      ordered_sorted_ = ordered_sorted_ && (ordered_.empty() || ordered_.back().first <= *number);
      ordered_.emplace_back(*number, no);
    } else {
      not_integers_.push_back(no);
    }
  }
  const bool bounded = entry.valid.from != kAlways || entry.valid.to != kForever;
  if (bounded && is_bounded_.insert(no).second) bounded_.push_back(no);
  if (!entry.attributes_known) unknown_attributes_.insert(no);
}

void People::touch(PersonNo no) { changed_.push_back(no); }

PersonNo People::see(std::string_view id) {
  if (const auto known = find(id)) return *known;
  const auto no = static_cast<PersonNo>(entries_.size());
  Entry entry;
  entry.id = id;
  entries_.push_back(std::move(entry));
  index_key(no);
  touch(no);
  fields_.push_back({no, true, {}});
  return no;
}

void People::hold(PersonNo no, const std::string& column, std::string_view value, const Span& valid) {
  const ValueHash hash = hash_(dataset_, column, comparable(value));
  held_[column][hash].push_back({no, valid});
  current_[no].emplace_back(column, hash);
  keep_text(column, hash, value);
  attribute_rows_.push_back({no, column, hash, valid});
}

PersonNo People::add(std::string_view id, Time from, const Attributes& attributes, bool complete) {
  const auto known = find(id);
  PersonNo no = known ? *known : static_cast<PersonNo>(entries_.size());
  if (!known) {
    Entry entry;
    entry.id = id;
    entry.listed = true;
    entry.valid.from = from;
    entry.attributes_known = complete;
    entries_.push_back(std::move(entry));
    index_key(no);
  } else {
    // Someone known comes (again): both lives are kept as one, which can only widen an answer.
    Entry& entry = entries_[no];
    entry.listed = true;
    entry.valid.to = kForever;
    entry.valid.from = std::min(entry.valid.from, from);
    if (entry.valid.from == kAlways && is_bounded_.erase(no) > 0) std::erase(bounded_, no);
    if (complete && !entry.attributes_known) {
      entry.attributes_known = true;
      unknown_attributes_.erase(no);
    }
  }
  const Span valid{known ? entries_[no].valid.from : from, kForever};
  for (const auto& [column, value] : attributes) {
    // Someone new without a value needs no word for it; someone who had one may have none now.
    if (!is_column(column) || (value.empty() && !known)) continue;
    const ValueHash hash = hash_(dataset_, column, comparable(value));
    const auto& now = current_[no];
    if (std::find(now.begin(), now.end(), std::pair(column, hash)) == now.end()) hold(no, column, value, valid);
    else keep_text(column, hash, value);  // perhaps in another case
  }
  touch(no);
  fields_.push_back({no, !known, attributes});
  return no;
}

void People::change(PersonNo no, Time when, Time until, const Attributes& attributes) {
  for (const auto& [column, value] : attributes) {
    if (!is_column(column)) continue;
    const ValueHash hash = hash_(dataset_, column, comparable(value));
    auto& now = current_[no];
    const std::string& name = column;
    bool same = value.empty() && std::none_of(now.begin(), now.end(), [&](const auto& held) { return held.first == name; });

    for (auto it = now.begin(); it != now.end();) {
      if (it->first != column) {
        ++it;
      } else if (it->second == hash) {
        same = true;
        keep_text(column, hash, value);  // perhaps in another case
        ++it;
      } else {
        for (Held& held : held_[column][it->second]) {
          if (held.no != no || held.valid.to != kForever) continue;
          held.valid.to = std::max(until, held.valid.from);
          attribute_rows_.push_back({no, column, it->second, held.valid});
        }
        it = now.erase(it);
      }
    }
    if (!same) hold(no, column, value, {when, kForever});  // an empty one too: no value from now on
  }
  touch(no);
  fields_.push_back({no, false, attributes});
}

bool People::update(PersonNo no, Time as_of, const Attributes& attributes) {
  Attributes different, respelled;
  const auto& now = current_[no];
  for (const auto& attribute : attributes) {
    const std::string &column = attribute.first, &value = attribute.second;
    if (!is_column(column)) continue;
    const std::pair<std::string, ValueHash> held{column, hash_(dataset_, column, comparable(value))};
    const bool none = std::none_of(now.begin(), now.end(), [&](const auto& h) { return h.first == column; });
    const bool same = (value.empty() && none) || std::find(now.begin(), now.end(), held) != now.end();
    if (same && !value.empty() && keep_text(column, held.second, value)) respelled.push_back(attribute);
    if (!same) different.emplace_back(column, value);
  }
  const bool knew = entries_[no].attributes_known;
  entries_[no].attributes_known = true;
  unknown_attributes_.erase(no);
  if (!respelled.empty()) fields_.push_back({no, false, respelled});
  if (different.empty()) {
    if (!knew) touch(no);
    return !knew;
  }
  change(no, as_of_, as_of, different);
  return true;
}

void People::obscure(PersonNo no) {
  entries_[no].attributes_known = false;
  unknown_attributes_.insert(no);
  touch(no);
}

void People::remove(PersonNo no, Time until) {
  Entry& entry = entries_[no];
  entry.valid.to = std::max(until, entry.valid.from);
  if (is_bounded_.insert(no).second) bounded_.push_back(no);
  touch(no);
}

void People::taint(std::string_view column) {
  if (tainted_.insert(std::string(column)).second) header_changed_ = true;
}

void People::mark_incomplete(Time since) {
  if (incomplete_since_) return;
  incomplete_since_ = since;
  header_changed_ = true;
}

std::vector<PersonNo> People::changed() const {
  std::vector<PersonNo> out = changed_;
  sort_unique(out);
  return out;
}

void People::saved() {
  changed_.clear();
  fields_.clear();
  attribute_rows_.clear();
  header_changed_ = false;
}

void People::restore(Entry entry) {
  const auto no = static_cast<PersonNo>(entries_.size());
  entries_.push_back(std::move(entry));
  index_key(no);
}

void People::restore_attribute(const AttributeRow& row) {
  held_[row.column][row.hash].push_back({row.no, row.valid});
  (row.valid.to == kForever ? current_ : ended_)[row.no].emplace_back(row.column, row.hash);
}

void People::set_header(bool registered, std::vector<std::string> columns, std::vector<std::string> tainted,
                        std::optional<Time> incomplete_since) {
  registered_ = registered;
  columns_ = std::move(columns);
  tainted_ = {tainted.begin(), tainted.end()};
  incomplete_since_ = incomplete_since;
  header_changed_ = true;
}

std::vector<std::string> People::tainted() const {
  std::vector<std::string> out(tainted_.begin(), tainted_.end());
  std::sort(out.begin(), out.end());
  return out;
}

void People::forget(PersonNo no) {
  Entry& entry = entries_.at(no);
  by_id_.erase(entry.id);
  std::erase_if(ordered_, [no](const auto& pair) { return pair.second == no; });
  std::erase(not_integers_, no);
  folded_.clear();
  not_ascii_.clear();
  folded_to_ = 0;
  entry.id.clear();
  entry.country.clear();
  entry.language.clear();
  current_.erase(no);
  for (auto& [column, by_value] : held_) {
    const auto texts = texts_.find(column);
    for (auto it = by_value.begin(); it != by_value.end();) {
      std::erase_if(it->second, [no](const Held& held) { return held.no == no; });
      if (!it->second.empty()) {
        ++it;
        continue;
      }
      if (texts != texts_.end()) texts->second.by_hash.erase(it->first);
      if (const auto lacking = without_text_.find(column); lacking != without_text_.end()) lacking->second.erase(it->first);
      it = by_value.erase(it);
    }
  }
}

void People::set_place(PersonNo no, std::string country, std::string language) {
  Entry& entry = entries_.at(no);
  if (entry.country == country && entry.language == language) return;
  entry.country = std::move(country);
  entry.language = std::move(language);
  touch(no);
}

People& Registers::of(std::string_view dataset) {
  auto found = all_.find(dataset);
  if (found == all_.end()) {
    found = all_.emplace(std::string(dataset), std::make_unique<People>(std::string(dataset), hash_)).first;
  }
  return *found->second;
}

const People* Registers::find(std::string_view dataset) const {
  const auto found = all_.find(dataset);
  return found == all_.end() ? nullptr : found->second.get();
}

People* Registers::find(std::string_view dataset) {
  const auto found = all_.find(dataset);
  return found == all_.end() ? nullptr : found->second.get();
}

}  // namespace tocsin::storage
