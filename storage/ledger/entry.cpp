// Entries as bytes. All numbers big-endian, as in the bundles around them.
//
//   u8 version = 1 | 16 bytes salt | u8 n, kind | i64 time (µs since 1970) | u16 n, by | u16 fields
//   then for each field: u16 n, name | u16 n, value
#include "storage/ledger/entry.hpp"

#include <cassert>
#include <optional>

namespace tocsin::storage {
namespace {

constexpr std::uint8_t kVersion = 1;

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xff);
}

// Takes from the front; empty once anything was missing.
class Taker {
 public:
  explicit Taker(std::string_view in) : in_(in) {}
  std::uint64_t number(std::size_t bytes) {
    const std::string_view part = take(bytes);
    std::uint64_t out = 0;
    for (const char c : part) out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }
  std::string_view take(std::size_t bytes) {
    if (bytes > in_.size()) {
      short_ = true;
      in_ = {};
      return {};
    }
    const std::string_view out = in_.substr(0, bytes);
    in_.remove_prefix(bytes);
    return out;
  }
  std::string text(std::size_t width) { return std::string(take(static_cast<std::size_t>(number(width)))); }
  [[nodiscard]] bool ended_well() const { return !short_ && in_.empty(); }
  [[nodiscard]] bool ran_short() const { return short_; }

 private:
  std::string_view in_;
  bool short_ = false;
};

}  // namespace

Result<std::string> encode_entry(const Entry& entry, std::string_view salt) {
  assert(salt.size() == kEntrySaltBytes);
  const auto too_large = [&] {
    return fail(Errc::kTooLarge, "an entry of the ledger holds at most " + std::to_string(kMaxEntryBytes) + " bytes",
                "ledger, " + entry.kind.substr(0, 64));
  };
  if (entry.kind.size() > 0xff || entry.by.size() > 0xffff || entry.fields.size() > 0xffff) return too_large();
  std::string out;
  put(out, kVersion, 1);
  out += salt;
  put(out, entry.kind.size(), 1);
  out += entry.kind;
  put(out, static_cast<std::uint64_t>(to_micros(entry.time)), 8);
  put(out, entry.by.size(), 2);
  out += entry.by;
  put(out, entry.fields.size(), 2);
  for (const auto& [name, value] : entry.fields) {
    if (name.size() > 0xffff || value.size() > 0xffff) return too_large();
    put(out, name.size(), 2);
    out += name;
    put(out, value.size(), 2);
    out += value;
    if (out.size() > kMaxEntryBytes) return too_large();
  }
  if (out.size() > kMaxEntryBytes) return too_large();
  return out;
}

Result<Entry> decode_entry(std::string_view bytes) {
  Taker in(bytes);
  const auto bad = [](const char* why) { return fail(Errc::kCorrupt, std::string("not an entry of the ledger: ") + why); };
  if (in.number(1) != kVersion) return bad("its version is not known");
  static_cast<void>(in.take(kEntrySaltBytes));
  Entry out;
  out.kind = in.text(1);
  out.time = from_micros(static_cast<std::int64_t>(in.number(8)));
  out.by = in.text(2);
  const std::uint64_t count = in.number(2);
  for (std::uint64_t i = 0; i < count && !in.ran_short(); ++i) {
    std::string name = in.text(2);
    std::string value = in.text(2);
    out.fields.emplace_back(std::move(name), std::move(value));
  }
  if (!in.ended_well()) return bad("it is cut, or goes on after its end");
  return out;
}

}  // namespace tocsin::storage
