// Any text, line by line: an application's own log. Its worth is the raw line, for keyword rules and the secret
// scanner. What can be had besides is the time (at the front, or as `time=`, `ts=`) and who (`user=`), as logfmt
// has them.
#include <array>

#include "engine/intake/factories.hpp"
#include "engine/intake/utf8.hpp"
#include "engine/intake/zone.hpp"

namespace tocsin::engine {
namespace {

// The value after `key=` where the key begins a word; quotes around it are taken off.
std::string_view logfmt(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t') continue;
    std::string_view rest = line.substr(at + key.size());
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      return rest.substr(0, rest.find('"'));
    }
    return rest.substr(0, rest.find_first_of(" \t"));
  }
  return {};
}

class Text final : public Decoder {
 public:
  Text(LocalTime zone, const DecoderOptions& options)
      : zone_(std::move(zone)), system_(options.system), store_(options.store) {}

  std::string_view format() const noexcept override { return "text"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    const std::string_view text = valid_utf8(record, arena);
    Decoded& decoded = out.emplace_back();
    Access& a = decoded.access;
    a.origin = origin;
    a.format = "text";
    if (const auto time = time_of(text)) {
      a.time = *time;
      a.time_known = true;
    }
    a.actor.account = logfmt(text, "user=");
    a.resource.system = system_;
    a.resource.store = store_;
    decoded.event.raw = record;
    decoded.raw = record;
    return {};
  }

 private:
  std::optional<Time> time_of(std::string_view line) {
    for (const std::string_view key : {"ts=", "time=", "timestamp="}) {
      if (const std::string_view value = logfmt(line, key); !value.empty()) {
        if (const auto time = zone_.parse(value)) return time;
      }
    }
    if (line.starts_with('[')) line.remove_prefix(1);
    if (line.size() < 19 || line[0] < '0' || line[0] > '9') return std::nullopt;
    // Date, time, and perhaps a zone: one word with 'T', or up to three.
    std::size_t end = line.find_first_of(" ]", 11);
    if (end == std::string_view::npos) end = line.size();
    const std::size_t zone = line.find_first_of(" ]", std::min(end + 1, line.size()));
    if (zone != std::string_view::npos) {
      const std::string_view name = line.substr(end + 1, zone - end - 1);
      if (name == "UTC" || name == "GMT") return zone_.parse(line.substr(0, zone));
    }
    return zone_.parse(line.substr(0, end));
  }

  LocalTime zone_;
  std::string system_;
  std::string store_;
};

}  // namespace

std::unique_ptr<Decoder> make_text(const DecoderOptions& options) {
  auto zone = LocalTime::of(options.timezone);
  if (!zone) return nullptr;  // make_decoder has said so already
  return std::make_unique<Text>(std::move(*zone), options);
}

}  // namespace tocsin::engine
