// RFC 5322 by GMime: it knows folding, RFC 2047 words and quoted-printable; addresses are checked before.
#include <gmime/gmime.h>

#include <mutex>

#include "notifier/channel/channel.hpp"
#include "rules/base/text.hpp"

namespace tocsin::notifier {
namespace {

constexpr std::size_t kMaxAddress = 254;  // RFC 5321 section 4.5.3.1.3, less the brackets

void init_gmime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string one_line(std::string_view text) {
  std::string out = to_utf8(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return out;
}

template <class T>
struct Unref {
  void operator()(T* p) const { g_object_unref(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref<T>>;

}  // namespace

std::string_view name(Handover handover) noexcept {
  switch (handover) {
    case Handover::kDone: return "done";
    case Handover::kTemporary: return "temporary";
    case Handover::kPermanent: return "permanent";
    case Handover::kUnknown: return "unknown";
  }
  return "unknown";
}

bool is_mail_address(std::string_view address) noexcept {
  const std::size_t at = address.rfind('@');
  if (address.size() > kMaxAddress || at == std::string_view::npos || at == 0 || at > 64 || at + 1 == address.size()) return false;
  if (!is_utf8(address)) return false;
  constexpr std::string_view kAtext = "!#$%&'*+-/=?^_`{|}~.";
  for (const char c : address.substr(0, at)) {
    const auto u = static_cast<unsigned char>(c);
    const bool letter = (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') || u >= 0x80;
    if (!letter && kAtext.find(c) == std::string_view::npos) return false;
  }
  const std::string_view local = address.substr(0, at), domain = address.substr(at + 1);
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) return false;
  for (const std::string_view label : split(domain, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label) {
      const auto u = static_cast<unsigned char>(c);
      if (!((u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') || (u >= 'a' && u <= 'z') || u == '-' || u >= 0x80)) return false;
    }
  }
  return true;
}

Result<std::string> compose_mail(const Message& message) {
  for (const std::string* address : {&message.from, &message.to}) {
    if (!is_mail_address(*address)) {
      return fail(Errc::kInvalid, address == &message.to ? "the recipient's e-mail address is not one" : "the sender's e-mail address is not one",
                  "", "correct it in the register");
    }
  }
  init_gmime();
  Owned<GMimeMessage> mail(g_mime_message_new(TRUE));
  const std::string from_name = one_line(message.from_name), to_name = one_line(message.to_name);
  g_mime_message_add_mailbox(mail.get(), GMIME_ADDRESS_TYPE_FROM, from_name.empty() ? nullptr : from_name.c_str(), message.from.c_str());
  g_mime_message_add_mailbox(mail.get(), GMIME_ADDRESS_TYPE_TO, to_name.empty() ? nullptr : to_name.c_str(), message.to.c_str());
  g_mime_message_set_subject(mail.get(), one_line(message.subject).c_str(), "utf-8");
  GDateTime* date = g_date_time_new_from_unix_utc(to_micros(message.date) / 1'000'000);
  g_mime_message_set_date(mail.get(), date);
  g_date_time_unref(date);
  const std::string id = one_line(message.id) + message.from.substr(message.from.rfind('@'));
  g_mime_message_set_message_id(mail.get(), id.c_str());
  auto* object = GMIME_OBJECT(mail.get());
  g_mime_object_append_header(object, "Auto-Submitted", "auto-generated", nullptr);
  if (!message.language.empty()) g_mime_object_append_header(object, "Content-Language", one_line(message.language).c_str(), nullptr);

  Owned<GMimeTextPart> part(g_mime_text_part_new());
  g_mime_text_part_set_charset(part.get(), "utf-8");
  const std::string body = to_utf8(message.body);
  Owned<GMimeStream> content(g_mime_stream_mem_new_with_buffer(body.data(), body.size()));
  Owned<GMimeDataWrapper> wrapper(g_mime_data_wrapper_new_with_stream(content.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(GMIME_PART(part.get()), wrapper.get());
  g_mime_part_set_content_encoding(GMIME_PART(part.get()), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  g_mime_message_set_mime_part(mail.get(), GMIME_OBJECT(part.get()));

  char* text = g_mime_object_to_string(object, nullptr);
  const std::string written(text);
  g_free(text);
  std::string out;
  out.reserve(written.size() + written.size() / 40);
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '\n' && (i == 0 || written[i - 1] != '\r')) out += '\r';
    out += written[i];
  }
  return out;
}

}  // namespace tocsin::notifier
