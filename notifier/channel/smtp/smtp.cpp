// What the server said decides: a final 250 after DATA is "done", a 4xx before it "temporary", a 5xx "permanent";
// a connection that dies after the last byte of DATA was sent is "unknown", because the server may have taken it.
#include "notifier/channel/smtp/smtp.hpp"

#include <curl/curl.h>

#include <cstring>
#include <mutex>

#include "rules/base/text.hpp"

namespace tocsin::notifier {
namespace {

constexpr std::size_t kMaxEvidence = 300;

struct Upload {
  const std::string* mail = nullptr;
  std::size_t at = 0;
  bool complete = false;     // every byte has been given to libcurl
  std::string last_reply;    // the newest line the server sent, its goodbye (221) apart
};

std::size_t read_mail(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto* upload = static_cast<Upload*>(context);
  const std::size_t n = std::min(size * count, upload->mail->size() - upload->at);
  std::memcpy(buffer, upload->mail->data() + upload->at, n);
  upload->at += n;
  if (upload->at == upload->mail->size()) upload->complete = true;
  return n;
}

std::size_t keep_reply(char* data, std::size_t size, std::size_t count, void* context) {
  auto* upload = static_cast<Upload*>(context);
  const std::string_view line = trim(std::string_view(data, size * count));
  if (!line.empty() && line.substr(0, 3) != "221") upload->last_reply = printable(line, kMaxEvidence);
  return size * count;
}

// Replies may quote the recipient ("550 <a@b> unknown"): evidence is kept without addresses.
std::string without_addresses(const std::string& reply) {
  std::string out;
  for (const std::string_view word : split(reply, ' ')) {
    if (!out.empty()) out += ' ';
    out += word.find('@') != std::string_view::npos ? std::string_view("<address>") : word;
  }
  return out;
}

class Smtp final : public Channel {
 public:
  explicit Smtp(SmtpOptions options) : options_(std::move(options)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_ = curl_easy_init();
  }
  ~Smtp() override {
    if (curl_ != nullptr) curl_easy_cleanup(curl_);
  }
  Smtp(const Smtp&) = delete;
  Smtp& operator=(const Smtp&) = delete;

  [[nodiscard]] std::string_view name() const noexcept override { return "smtp"; }

  [[nodiscard]] Receipt send(const Message& message) override {
    if (curl_ == nullptr) return {Handover::kTemporary, "libcurl cannot be started", ""};
    auto mail = compose_mail(message);
    if (!mail) return {Handover::kPermanent, mail.error().message, mail.error().remedy};
    Upload upload;
    upload.mail = &*mail;

    curl_easy_reset(curl_);
    const std::string scheme = options_.tls == SmtpOptions::Tls::kImplicit ? "smtps://" : "smtp://";
    const std::string host = options_.host.find(':') != std::string::npos ? "[" + options_.host + "]" : options_.host;
    const std::string url = scheme + host + ":" + std::to_string(options_.port) + "/" + options_.helo;
    const std::string from = "<" + message.from + ">", to = "<" + message.to + ">";
    curl_slist* recipients = curl_slist_append(nullptr, to.c_str());
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl_, CURLOPT_USE_SSL, options_.tls == SmtpOptions::Tls::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL);
    curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (!options_.user.empty()) {
      curl_easy_setopt(curl_, CURLOPT_USERNAME, options_.user.c_str());
      curl_easy_setopt(curl_, CURLOPT_PASSWORD, options_.password.c_str());
    }
    curl_easy_setopt(curl_, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(curl_, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl_, CURLOPT_READFUNCTION, read_mail);
    curl_easy_setopt(curl_, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, keep_reply);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &upload);
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT, static_cast<long>(options_.timeout_seconds));
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.timeout_seconds));
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
    const CURLcode code = curl_easy_perform(curl_);
    long reply = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &reply);
    curl_slist_free_all(recipients);
    return judge(code, reply, upload);
  }

  [[nodiscard]] Handover find(std::string_view) override { return Handover::kUnknown; }  // SMTP cannot be asked

 private:
  Receipt judge(CURLcode code, long reply, const Upload& upload) const {
    const std::string said = without_addresses(upload.last_reply);
    const std::string where = options_.host + ":" + std::to_string(options_.port);
    if (code == CURLE_OK) return {Handover::kDone, said, ""};
    // The server's refusal, whatever step it came at.
    if (reply >= 500 && reply < 600 && code != CURLE_LOGIN_DENIED) {
      return {Handover::kPermanent, said.empty() ? std::to_string(reply) : said, "the mail server refuses this message or address for good"};
    }
    if (reply >= 400 && reply < 500) return {Handover::kTemporary, said, "the mail server asks to try again later"};
    std::string message = where + ": " + curl_easy_strerror(code);
    switch (code) {
      case CURLE_COULDNT_CONNECT:
      case CURLE_COULDNT_RESOLVE_HOST:
        return {Handover::kTemporary, message, "is the mail server running, and are notices.smtp.host and port right?"};
      case CURLE_LOGIN_DENIED:
        return {Handover::kTemporary, where + ": the server does not accept the user and password", "check notices.smtp.user and password_file"};
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_USE_SSL_FAILED:
        return {Handover::kTemporary, message, "the server's certificate or its TLS is not in order: check notices.smtp.ca_file and tls"};
      default: break;
    }
    // Once the last byte was given away, silence proves nothing.
    if (upload.complete) {
      return {Handover::kUnknown, message, "ask the mail server's log whether the message with this id was taken, then decide"};
    }
    return {Handover::kTemporary, message, code == CURLE_OPERATION_TIMEDOUT ? "the mail server does not answer in time" : ""};
  }

  SmtpOptions options_;
  CURL* curl_ = nullptr;
};

}  // namespace

std::unique_ptr<Channel> make_smtp(SmtpOptions options) { return std::make_unique<Smtp>(std::move(options)); }

}  // namespace tocsin::notifier
