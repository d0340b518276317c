// Windows as bytes and back. The format is described in ops/docs/formats/correlation-state.md; what is read is checked
// number by number, so that even a file made by an enemy can only give windows that hold nonsense, never a fault.
#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <unordered_map>

#include "rules/base/bytes.hpp"
#include "rules/sigma/correlator_inner.hpp"

namespace tocsin::rules::sigma {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kMagic = "TOCCORR\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHead = 8 + 4 + 32;
constexpr std::int64_t kFarthest = std::int64_t{1} << 61;  // no time in a state lies farther from 1970, in microseconds

class StateWriter {
 public:
  template <class T>
    requires std::is_arithmetic_v<T>
  void put(T value) { out.append(reinterpret_cast<const char*>(&value), sizeof(T)); }
  void text(std::string_view value) {
    put(static_cast<std::uint32_t>(value.size()));
    out += value;
  }
  std::string out;
};

// Every read is checked; after the first that fails all give zero.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : left_(bytes) {}
  template <class T>
  T get() {
    T value{};
    if (left_.size() < sizeof(T)) fail();
    else {
      std::memcpy(&value, left_.data(), sizeof(T));
      left_.remove_prefix(sizeof(T));
    }
    return value;
  }
  std::string_view text() {
    const auto size = get<std::uint32_t>();
    if (left_.size() < size) {
      fail();
      return {};
    }
    const std::string_view value = left_.substr(0, size);
    left_.remove_prefix(size);
    return value;
  }
  // A number of things that take at least `each` bytes.
  std::uint32_t count(std::size_t each) {
    const auto number = get<std::uint32_t>();
    if (number > left_.size() / each) fail();
    return good_ ? number : 0;
  }
  // A time, or "none".
  std::int64_t time() {
    const auto value = get<std::int64_t>();
    if (value != INT64_MIN && (value < -kFarthest || value > kFarthest)) fail();
    return good_ ? value : 0;
  }
  std::int64_t real_time() {
    const std::int64_t value = time();
    if (value == INT64_MIN) fail();
    return good_ ? value : 0;
  }
  void fail() {
    good_ = false;
    left_ = {};
  }
  void expect(bool holds) {
    if (!holds) fail();
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool good_ = true;
};

constexpr std::size_t kEntryBytes = 8 * 4 + 4 * 4 + 2 + 1;

void write_entry(StateWriter& writer, const Entry& entry, const std::vector<std::uint32_t>& numbers) {
  writer.put(entry.time);
  writer.put(entry.line);
  writer.put(entry.seq);
  writer.put(entry.value);
  writer.put(numbers[entry.place]);
  writer.put(numbers[entry.subjects]);
  writer.put(numbers[entry.carried]);
  writer.put(entry.alert);
  writer.put(entry.input);
  writer.put(entry.flags);
}

Entry read_entry(StateReader& reader, std::size_t texts, std::size_t inputs) {
  Entry entry;
  entry.time = reader.real_time();
  entry.line = reader.get<std::uint64_t>();
  entry.seq = reader.get<std::uint64_t>();
  entry.value = reader.get<std::uint64_t>();
  entry.place = reader.get<std::uint32_t>();
  entry.subjects = reader.get<std::uint32_t>();
  entry.carried = reader.get<std::uint32_t>();
  entry.alert = reader.get<std::uint32_t>();
  entry.input = reader.get<std::uint16_t>();
  entry.flags = reader.get<std::uint8_t>();
  reader.expect(entry.place < texts && entry.subjects < texts && entry.carried < texts && entry.input < inputs &&
                entry.flags <= (Entry::kContinues | Entry::kInteger | Entry::kFromBelow));
  return entry;
}

void write_sketch(StateWriter& writer, const SlidingSketch* sketch) {
  writer.put(static_cast<std::uint8_t>(sketch != nullptr));
  if (sketch == nullptr) return;
  for (const auto& list : sketch->registers()) {
    writer.put(static_cast<std::uint8_t>(list.size()));  // ranks fall, so there are never more than 64
    for (const SlidingSketch::Maximum& maximum : list) {
      writer.put(maximum.time);
      writer.put(maximum.rank);
    }
  }
}

std::unique_ptr<SlidingSketch> read_sketch(StateReader& reader, std::int64_t timespan) {
  const auto present = reader.get<std::uint8_t>();
  reader.expect(present <= 1);
  if (!reader.good() || present == 0) return nullptr;
  std::vector<std::vector<SlidingSketch::Maximum>> registers(SlidingSketch::kRegisters);
  for (auto& list : registers) {
    const auto size = reader.get<std::uint8_t>();
    for (std::uint8_t i = 0; i < size && reader.good(); ++i) {
      SlidingSketch::Maximum maximum;
      maximum.time = reader.real_time();
      maximum.rank = reader.get<std::uint8_t>();
      reader.expect(maximum.rank >= 1 && maximum.rank <= 64);
      if (!list.empty()) reader.expect(list.back().time <= maximum.time && list.back().rank > maximum.rank);
      list.push_back(maximum);
    }
    if (!reader.good()) return nullptr;
  }
  auto sketch = std::make_unique<SlidingSketch>(timespan);
  sketch->set_registers(std::move(registers));
  return sketch;
}

LiveAlert read_alert(StateReader& reader, std::size_t inputs, std::size_t texts) {
  LiveAlert alert;
  alert.number = reader.get<std::uint32_t>();
  alert.id = reader.text();
  for (std::int64_t* const time : {&alert.from, &alert.to, &alert.first, &alert.last}) *time = reader.real_time();
  alert.events = reader.get<std::uint64_t>();
  alert.told = reader.get<std::uint64_t>();
  alert.value = reader.get<double>();
  const auto flags = reader.get<std::uint8_t>();
  reader.expect(flags <= 3 && alert.told <= alert.events && alert.events < std::uint64_t{1} << 62 && alert.id.size() == 32);
  alert.under = (flags & 1) != 0;
  alert.estimated = (flags & 2) != 0;
  for (std::uint32_t left = reader.count(kEntryBytes); left > 0 && reader.good(); --left) alert.listed.push_back(read_entry(reader, texts, inputs));
  for (std::uint32_t left = reader.count(4); left > 0 && reader.good(); --left) alert.subjects.emplace(reader.text());
  reader.expect(alert.listed.size() <= CorrelationAlert::kMaxEvents && alert.subjects.size() <= CorrelationAlert::kMaxSubjects);
  alert.more_subjects = read_sketch(reader, INT64_MAX / 4);
  return alert;
}

// A group with the numbers of texts as they are in the state.
Group read_group(StateReader& reader, std::size_t inputs, std::size_t texts, std::int64_t timespan) {
  Group group;
  group.key = reader.text();
  for (std::int64_t* const time : {&group.newest, &group.previous, &group.under_until, &group.lost}) *time = reader.time();
  for (std::uint32_t* const number : {&group.alerts_made, &group.newest_alert, &group.previous_alert}) *number = reader.get<std::uint32_t>();
  reader.expect(group.previous_alert == 0 || group.previous != INT64_MIN);
  for (std::uint32_t left = reader.count(kEntryBytes); left > 0 && reader.good(); --left) {
    const Entry entry = read_entry(reader, texts, inputs);
    reader.expect(group.entries.empty() || group.entries.back().time <= entry.time);
    group.entries.push_back(entry);
  }
  group.sketch = read_sketch(reader, timespan);
  for (std::uint32_t left = reader.count(4 + 4 + 32 + 24 + 1 + 8 + 1); left > 0 && reader.good(); --left) {
    if (!group.alerts) group.alerts = std::make_unique<std::vector<LiveAlert>>();
    group.alerts->push_back(read_alert(reader, inputs, texts));
  }
  return group;
}

}  // namespace

std::string Correlator::Inner::save() const {
  StateWriter writer;
  writer.put(options.seed);
  for (const std::int64_t time : {newest, slowest, watermark, clock}) writer.put(time);
  for (const std::uint64_t count : {counts.too_late, counts.without_group, counts.without_value, counts.forgotten}) writer.put(count);
  writer.put(static_cast<std::uint32_t>(sources.size()));
  for (const auto& [name, reached] : sources) {
    writer.text(name);
    writer.put(reached);
  }
  std::vector<std::uint32_t> numbers(texts.numbers(), 0);
  std::uint32_t used = 0;
  for (std::uint32_t i = 1; i < texts.numbers(); ++i) {
    if (texts.used(i)) numbers[i] = ++used;
  }
  writer.put(used);
  for (std::uint32_t i = 1; i < texts.numbers(); ++i) {
    if (texts.used(i)) writer.text(texts[i]);
  }
  std::vector<std::vector<const Group*>> by_node(nodes.size());
  for (const Group& group : groups) {
    if (group.generation % 2 == 1) by_node[group.correlation].push_back(&group);
  }
  writer.put(static_cast<std::uint32_t>(nodes.size()));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    writer.put(nodes[i].identity);
    writer.put(static_cast<std::uint16_t>(nodes[i].compiled->inputs.size()));
    writer.put(nodes[i].evicted_until);
    writer.put(static_cast<std::uint32_t>(by_node[i].size()));
    for (const Group* const group : by_node[i]) {
      writer.text(group->key);
      for (const std::int64_t time : {group->newest, group->previous, group->under_until, group->lost}) writer.put(time);
      for (const std::uint32_t number : {group->alerts_made, group->newest_alert, group->previous_alert}) writer.put(number);
      writer.put(group->entries.size());
      for (std::uint32_t n = 0; n < group->entries.size(); ++n) write_entry(writer, group->entries[n], numbers);
      write_sketch(writer, group->sketch.get());
      writer.put(static_cast<std::uint32_t>(group->alerts ? group->alerts->size() : 0));
      if (!group->alerts) continue;
      for (const LiveAlert& alert : *group->alerts) {
        writer.put(alert.number);
        writer.text(alert.id);
        for (const std::int64_t time : {alert.from, alert.to, alert.first, alert.last}) writer.put(time);
        writer.put(alert.events);
        writer.put(alert.told);
        writer.put(alert.value);
        writer.put(static_cast<std::uint8_t>((alert.under ? 1 : 0) | (alert.estimated ? 2 : 0)));
        writer.put(static_cast<std::uint32_t>(alert.listed.size()));
        for (const Entry& entry : alert.listed) {
          Entry kept = entry;
          kept.carried = 0;  // an alert holds no use of it
          write_entry(writer, kept, numbers);
        }
        writer.put(static_cast<std::uint32_t>(alert.subjects.size()));
        for (const std::string& subject : alert.subjects) writer.text(subject);
        write_sketch(writer, alert.more_subjects.get());
      }
    }
  }
  std::string state(kMagic);
  state.append(reinterpret_cast<const char*>(&kVersion), sizeof(kVersion));
  const Sha256 sum = sha256(writer.out);
  state += bytes_of(sum);
  return state + writer.out;
}

Result<void> Correlator::Inner::restore(std::string_view bytes) {
  sink = nullptr;
  clear();
  counts = {};
  if (bytes.size() < kHead || !bytes.starts_with(kMagic)) return fail(Errc::kCorrupt, "this is no saved state of correlations");
  std::uint32_t version = 0;
  std::memcpy(&version, bytes.data() + kMagic.size(), sizeof(version));
  if (version != kVersion) {
    return fail(Errc::kUnsupported, "the saved state of correlations has version " + std::to_string(version) + ", and this program reads version 1", {},
                "start without it: windows begin anew");
  }
  const std::string_view payload = bytes.substr(kHead);
  const Sha256 sum = sha256(payload);
  if (bytes.substr(kMagic.size() + 4, 32) != bytes_of(sum)) return fail(Errc::kCorrupt, "the saved state of correlations does not have the checksum it should have");
  if (read_state(payload)) return {};
  clear();
  counts = {};
  return fail(Errc::kCorrupt, "the saved state of correlations breaks off or contradicts itself");
}

bool Correlator::Inner::read_state(std::string_view payload) {
  StateReader reader(payload);
  const auto seed = reader.get<std::uint64_t>();
  const std::int64_t times[] = {reader.time(), reader.time(), reader.time(), reader.time()};
  for (std::uint64_t* const count : {&counts.too_late, &counts.without_group, &counts.without_value, &counts.forgotten}) *count = reader.get<std::uint64_t>();
  std::unordered_map<std::string, std::int64_t> known_sources;
  for (std::uint32_t left = reader.count(12); left > 0; --left) {
    std::string name(reader.text());
    known_sources[std::move(name)] = reader.real_time();
  }
  if (!reader.good() || known_sources.size() > kMaxSources) return false;
  if (!known_sources.empty() && (times[0] == INT64_MIN || times[1] == INT64_MIN)) return false;
  options.seed = seed;
  newest = times[0];
  slowest = times[1];
  watermark = times[2];
  clock = times[3];
  sources = std::move(known_sources);

  // TextStore are held by one use each while reading, so that those of groups that are gone go too.
  std::vector<std::uint32_t> numbers = {0};
  for (std::uint32_t left = reader.count(4); left > 0; --left) numbers.push_back(texts.keep(reader.text()));
  std::unordered_map<std::uint64_t, std::uint32_t> node_of;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) node_of.emplace(nodes[i].identity, i);
  for (std::uint32_t left = reader.count(22); left > 0 && reader.good(); --left) {
    const auto at = node_of.find(reader.get<std::uint64_t>());
    const auto inputs = reader.get<std::uint16_t>();
    const std::int64_t evicted_until = reader.time();
    CorrelationNode* const node = at == node_of.end() ? nullptr : &nodes[at->second];
    if (node != nullptr) {
      reader.expect(inputs == node->compiled->inputs.size());
      node->evicted_until = evicted_until;
    }
    for (std::uint32_t groups_left = reader.count(4 + 32 + 12 + 4 + 1 + 4); groups_left > 0 && reader.good(); --groups_left) {
      Group group = read_group(reader, inputs, numbers.size(), node == nullptr ? 0 : node->timespan);
      // Of a correlation that is no more the group is only passed over.
      if (reader.good() && node != nullptr) reader.expect(take_over(at->second, std::move(group), numbers));
    }
  }
  for (std::size_t i = 1; i < numbers.size(); ++i) texts.drop(numbers[i]);
  return reader.good() && reader.at_end();
}

// Takes over a group as it was read: its texts get their present numbers, its window is filled again.
bool Correlator::Inner::take_over(std::uint32_t correlation, Group&& read, const std::vector<std::uint32_t>& numbers) {
  const CorrelationNode& node = nodes[correlation];
  std::vector<std::string_view> key_parts;
  std::string_view rest = read.key;
  std::string_view part;
  while (next_part(rest, part)) key_parts.push_back(part);
  if (!rest.empty() || key_parts.size() != node.compiled->rule->group_by.size()) return false;
  const bool whole = node.compiled->whole_windows;
  if (!whole && !read.entries.empty() && read.newest != read.entries.back().time) return false;
  if (read.sketch && (whole || node.compiled->rule->type != CorrelationType::kValueCount)) return false;
  const std::size_t made_before = live_groups;
  const std::uint32_t index = group_of(correlation, key_parts);
  if (live_groups == made_before) return false;  // the group is there already
  Group& group = groups[index];
  group.entries = std::move(read.entries);
  group.newest = read.newest;
  group.previous = read.previous;
  group.under_until = read.under_until;
  group.lost = read.lost;
  group.alerts_made = read.alerts_made;
  group.newest_alert = read.newest_alert;
  group.previous_alert = read.previous_alert;
  group.sketch = std::move(read.sketch);
  const auto own = [&](Entry& entry) {
    entry.place = numbers[entry.place];
    entry.subjects = numbers[entry.subjects];
    entry.carried = numbers[entry.carried];
    texts.keep(entry.place);
    texts.keep(entry.subjects);
    texts.keep(entry.carried);
  };
  for (std::uint32_t i = 0; i < group.entries.size(); ++i) own(group.entries[i]);
  live_entries += group.entries.size();
  if (read.alerts) {
    for (LiveAlert& alert : *read.alerts) {
      for (Entry& entry : alert.listed) own(entry);
      listed_entries += alert.listed.size();
    }
    group.alerts = std::move(read.alerts);
  }
  if (!whole) {
    if (auto* chain = group.window ? std::get_if<OrderedChain>(group.window.get()) : nullptr; chain != nullptr) {
      for (std::uint32_t i = 0; i < group.entries.size();) enter_event_at(group, i);
    } else if (!group.entries.empty()) {
      group.edge = group.entries.after(group.newest - node.timespan - 1);
      if (!group.sketch) {
        for (std::uint32_t i = group.edge; i < group.entries.size(); ++i) enter(group, group.entries[i]);
      }
    }
  }
  schedule(index);
  return true;
}

}  // namespace tocsin::rules::sigma
