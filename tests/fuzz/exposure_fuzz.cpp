// What a segment's reader does with bytes that nobody vouches for: tables, chunks and postings without their
// checksums, which would keep the fuzzer out. The first byte says which.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/exposure/person_set.hpp"
#include "storage/exposure/segment.hpp"

namespace {

using namespace tocsin::storage::exposure;

Tables some_tables() {
  Tables t;
  t.first = 5;
  t.last = 2'000'000;
  t.texts = {"anna", "patient"};
  t.attributes.resize(5);
  t.sets = {{0}, {1, 2}, {0, 3, 4}};
  t.datasets = {{1, 0, 0}};
  t.pairs.resize(300);
  for (std::size_t i = 0; i < t.pairs.size(); ++i) {
    t.pairs[i].daily = i % 3 == 0;
    t.pairs[i].first = static_cast<std::uint32_t>(i * 1'000);
    t.pairs[i].last = static_cast<std::uint32_t>(i % 7 == 0 ? i * 1'000 : 2'000'000);
    t.pairs[i].usual = i % 2;
  }
  return t;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6) return 0;
  const std::uint8_t kind = data[0];
  const std::uint32_t number = data[1] | (std::uint32_t{data[2]} << 8) | (std::uint32_t{data[3]} << 16) | (std::uint32_t{data[4]} << 24);
  std::string bytes(reinterpret_cast<const char*>(data + 5), size - 5);
  const std::size_t length = bytes.size();
  bytes.resize(length + BitReader::kPadding);
  const std::string_view view = std::string_view(bytes).substr(0, length);
  if (kind % 5 == 0) {
    // The length of the body is what the tables say, or anything: both must be bearable.
    for (const std::uint64_t body : {std::uint64_t{kHeaderBytes}, std::uint64_t{number}}) {
      const auto tables = decode_tables(view, 0, body);
      if (!tables) continue;
      const auto again = decode_tables(encode(*tables), 0, body);
      if (!again || encode(*again) != encode(*tables)) std::abort();
    }
  } else if (kind % 5 == 1) {
    Pair pair;
    pair.daily = kind >= 128;
    pair.first = number % 100'000;
    pair.last = pair.first + number / 7 % 2'000'000;
    ChunkReader reader(view, {number % 32, number, 0, static_cast<std::uint32_t>(length)}, pair, 7);
    Group group;
    while (true) {
      const auto more = reader.next(group);
      if (!more || !*more) break;
      for (std::size_t i = 1; i < group.people.size(); ++i) {
        if (group.people[i] <= group.people[i - 1]) std::abort();
      }
      if (!group.details()) continue;
      for (const std::uint32_t second : group.seconds) {
        if (second < pair.first || second > pair.last) std::abort();
        if (pair.daily && second / kDay != group.bucket) std::abort();
      }
      for (const std::uint32_t attribute : group.attributes) {
        if (attribute >= 7) std::abort();
      }
    }
  } else if (kind % 5 == 2) {
    static const Tables tables = some_tables();
    const auto hits = read_postings(view, number % 1000, tables, number % 1000 + kind);
    if (!hits) return 0;
    for (const Hit& hit : *hits) {
      if (hit.pair >= tables.pairs.size() || hit.set >= tables.sets.size()) std::abort();
      const Pair& pair = tables.pairs[hit.pair];
      if (hit.summary && (hit.first < pair.first || hit.last < hit.first || hit.last > pair.last)) std::abort();
    }
  } else if (kind % 5 == 3) {
    static_cast<void>(decode_header(view));
  } else {
    PersonSet set;
    static_cast<void>(roaring_contains(view, number));
    if (length < 4096) static_cast<void>(set.add_roaring(view));
  }
  return 0;
}
