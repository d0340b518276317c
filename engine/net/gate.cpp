// One pass over the bytes, no allocation.
#include "engine/net/gate.hpp"

#include <algorithm>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

// RFC 9110 section 5.6.2.
bool is_token_char(char c) noexcept {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_host(std::string_view host) noexcept {
  if (host.empty() || host.size() > 255 + 6) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':' || c == '[' || c == ']';
  });
}

// Fields that mean one thing: given twice, two readers may choose differently.
constexpr std::string_view kSingle[] = {"authorization", "content-encoding", "content-type", "cookie", "expect",
                                        "origin", "x-csrf-token", "connection"};

constexpr std::size_t kMaxMethod = 16;

tl::unexpected<Violation> no(Violation violation) noexcept { return tl::unexpected<Violation>(violation); }

bool request_line(std::string_view line, MessageFraming& out, Violation& why) noexcept {
  why = Violation::kRequestLine;
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || first == 0 || first > kMaxMethod) return false;
  const std::string_view method = line.substr(0, first);
  if (!std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
  const std::string_view rest = line.substr(first + 1);
  const std::size_t second = rest.find(' ');
  if (second == std::string_view::npos || second == 0) return false;
  const std::string_view target = rest.substr(0, second);
  if (target[0] != '/') return false;
  if (!std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; })) return false;
  const std::string_view version = rest.substr(second + 1);
  why = Violation::kVersion;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
  out.http_1_1 = version == "HTTP/1.1";
  return true;
}

// Whether a comma list (Connection) names `word`.
bool lists(std::string_view value, std::string_view word) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    if (iequals(trim_blanks(value.substr(0, comma)), word)) return true;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::string_view name(Violation violation) noexcept {
  switch (violation) {
    case Violation::kControlByte: return "control_byte";
    case Violation::kRequestLine: return "request_line";
    case Violation::kVersion: return "version";
    case Violation::kFieldName: return "field_name";
    case Violation::kFolded: return "folded";
    case Violation::kTooManyFields: return "too_many_fields";
    case Violation::kHost: return "host";
    case Violation::kContentLength: return "content_length";
    case Violation::kTransferEncoding: return "transfer_encoding";
    case Violation::kBothLengths: return "both_lengths";
    case Violation::kRepeatedField: return "repeated_field";
    case Violation::kChunk: return "chunk";
    case Violation::kHeadTooLarge: return "head_too_large";
  }
  return "unknown";
}

tl::expected<std::optional<std::size_t>, Violation> find_head(std::string_view arrived, std::size_t& checked) noexcept {
  for (std::size_t i = checked; i < arrived.size(); ++i) {
    const char c = arrived[i];
    if (c == '\n') {
      if (i == 0 || arrived[i - 1] != '\r') return no(Violation::kControlByte);
      // The line that ends here is empty: that is the end of the block (or of nothing at all).
      if (i == 1) return no(Violation::kRequestLine);
      if (i >= 3 && arrived[i - 2] == '\n') {
        if (i + 1 > kMaxHead) return no(Violation::kHeadTooLarge);
        checked = i + 1;
        return std::optional<std::size_t>(i + 1);
      }
      continue;
    }
    if (i > 0 && arrived[i - 1] == '\r') return no(Violation::kControlByte);
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7f) return no(Violation::kControlByte);
  }
  checked = arrived.size();
  if (arrived.size() >= kMaxHead) return no(Violation::kHeadTooLarge);
  return std::optional<std::size_t>();
}

tl::expected<MessageFraming, Violation> gate(std::string_view head) noexcept {
  if (head.size() > kMaxHead) return no(Violation::kHeadTooLarge);
  std::size_t checked = 0;
  const auto end = find_head(head, checked);
  if (!end) return no(end.error());
  if (!*end || **end != head.size()) return no(Violation::kControlByte);

  MessageFraming out;
  std::size_t at = head.find("\r\n");
  Violation why{};
  if (!request_line(head.substr(0, at), out, why)) return no(why);
  at += 2;

  std::size_t fields = 0, hosts = 0, lengths = 0, codings = 0;
  bool seen[std::size(kSingle)] = {};
  bool close = false, keep = false;
  for (;;) {
    const std::size_t stop = head.find("\r\n", at);
    const std::string_view line = head.substr(at, stop - at);
    if (line.empty()) break;
    at = stop + 2;
    if (++fields > kMaxFields) return no(Violation::kTooManyFields);
    if (line[0] == ' ' || line[0] == '\t') return no(Violation::kFolded);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return no(Violation::kFieldName);
    const std::string_view field = line.substr(0, colon);
    const std::string_view value = trim_blanks(line.substr(colon + 1));

    if (iequals(field, "host")) {
      if (++hosts > 1 || !is_host(value)) return no(Violation::kHost);
    } else if (iequals(field, "content-length")) {
      if (++lengths > 1 || value.empty() || value.size() > 19) return no(Violation::kContentLength);
      std::uint64_t length = 0;
      for (const char c : value) {
        if (c < '0' || c > '9') return no(Violation::kContentLength);
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
      }
      out.length = length;
    } else if (iequals(field, "transfer-encoding")) {
      if (++codings > 1 || value != "chunked") return no(Violation::kTransferEncoding);
      out.chunked = true;
    } else {
      for (std::size_t i = 0; i < std::size(kSingle); ++i) {
        if (!iequals(field, kSingle[i])) continue;
        if (seen[i]) return no(Violation::kRepeatedField);
        seen[i] = true;
      }
      if (iequals(field, "connection")) {
        close = lists(value, "close");
        keep = lists(value, "keep-alive");
      } else if (iequals(field, "expect")) {
        out.expects_continue = iequals(value, "100-continue");
      }
    }
  }
  if (out.http_1_1 && hosts != 1) return no(Violation::kHost);
  if (codings > 0 && lengths > 0) return no(Violation::kBothLengths);
  if (codings > 0 && !out.http_1_1) return no(Violation::kTransferEncoding);
  out.keep_alive = out.http_1_1 ? !close : keep && !close;
  return out;
}

BodyFraming::BodyFraming(const MessageFraming& framing) noexcept
    : chunked_(framing.chunked), state_(State::kData), left_(framing.length) {
  if (chunked_) state_ = State::kSize;
  else if (left_ == 0) state_ = State::kDone;
}

tl::expected<BodyFraming::Step, Violation> BodyFraming::take(std::string_view input) noexcept {
  Step step;
  while (step.used < input.size() && state_ != State::kDone) {
    const char c = input[step.used];
    switch (state_) {
      case State::kData: {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - step.used));
        step.data = input.substr(step.used, count);
        step.used += count;
        left_ -= count;
        if (left_ == 0) state_ = chunked_ ? State::kChunkEnd : State::kDone;
        return step;
      }
      case State::kSize: {
        int digit = -1;
        if (c >= '0' && c <= '9') digit = c - '0';
        else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
        if (digit >= 0) {
          if (++digits_ > kMaxSizeDigits) return no(Violation::kChunk);
          left_ = (left_ << 4) | static_cast<std::uint64_t>(digit);
        } else if (c == '\r' && digits_ > 0) {
          state_ = State::kSizeEnd;
        } else {
          return no(Violation::kChunk);
        }
        break;
      }
      case State::kSizeEnd:
        if (c != '\n') return no(Violation::kChunk);
        state_ = left_ == 0 ? State::kLast : State::kData;
        digits_ = 0;
        break;
      case State::kChunkEnd:
        if (c != '\r') return no(Violation::kChunk);
        state_ = State::kChunkEndLf;
        break;
      case State::kChunkEndLf:
        if (c != '\n') return no(Violation::kChunk);
        state_ = State::kSize;
        left_ = 0;
        break;
      case State::kLast:
        if (c != '\r') return no(Violation::kChunk);
        state_ = State::kLastLf;
        break;
      case State::kLastLf:
        if (c != '\n') return no(Violation::kChunk);
        state_ = State::kDone;
        break;
      case State::kDone: break;
    }
    ++step.used;
  }
  return step;
}

}  // namespace tocsin::engine
