// tocsin scan FILE…: plaintext secrets and personal data in text, one line per finding, and never the secret itself.
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "engine/app/cli.hpp"
#include "engine/app/scan_report.hpp"
#include "engine/app/scan_targets.hpp"
#include "engine/app/secret_files.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/descriptor.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/fragments.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/secrets/stream.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
namespace secrets = rules::secrets;

constexpr unsigned kRead = 1 << 20;          // read at once
constexpr std::size_t kSniffed = 8 << 10;    // bytes that tell a binary file
constexpr std::size_t kShownDiagnostics = 10;
constexpr std::size_t kShownLeftOut = 5;     // of each kind that is passed over on purpose
// A file that unpacks to more than this many times its size, once it is larger than that, is no log but a bomb.
constexpr std::uint64_t kMaxUnpacked = 400, kUnpackedAnyway = 256ULL << 20;

struct Options {
  std::vector<std::string> rules;
  std::string default_rules;
  std::string tokens, words;
  std::vector<std::string> files;
  fs::path data;
  bool explain = false;
  bool json = false;
  bool sarif = false;
  bool fragments = false;
  bool secrets_only = false;
  bool contacts = false;
  bool follow = false;
};

// The key under which a secret seen again is recognised: the data directory's, else one of this run only.
std::function<std::string(std::string_view)> fingerprinter(const fs::path& data) {
  if (auto keys = storage::Keys::open(data / "keys"); keys) {
    return [keys = *keys](std::string_view secret) { return to_hex(keys->fingerprint(secret)); };
  }
  if (sodium_init() < 0) return {};
  std::array<unsigned char, crypto_generichash_KEYBYTES> key{};
  randombytes_buf(key.data(), key.size());
  return [key](std::string_view secret) {
    std::array<unsigned char, 16> out{};
    crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), key.data(), key.size());
    return to_hex(std::string_view(reinterpret_cast<const char*>(out.data()), out.size()));
  };
}

using Why = NotScanned::Why;
using LeftOut = std::optional<NotScanned>;

// What the first bytes of a file that is no text say; nullptr if nothing speaks against reading it.
struct NoText {
  std::string_view magic;
  Why why;
  const char* what;
};
constexpr auto kNoText = std::to_array<NoText>({
    {"\x28\xb5\x2f\xfd", Why::kPacked, "compressed by zstd, which is not unpacked here (zstdcat FILE | tocsin scan)"},
    {std::string_view("\xfd" "7zXZ\0", 6), Why::kPacked, "compressed by xz, which is not unpacked here (xzcat FILE | tocsin scan)"},
    {"BZh", Why::kPacked, "compressed by bzip2, which is not unpacked here (bzcat FILE | tocsin scan)"},
    {"PK\x03\x04", Why::kPacked, "an archive"},
    {"\xff\xfe", Why::kUtf16, "UTF-16 (iconv -f UTF-16 -t UTF-8 FILE | tocsin scan)"},
    {"\xfe\xff", Why::kUtf16, "UTF-16 (iconv -f UTF-16 -t UTF-8 FILE | tocsin scan)"},
});
const NoText* no_text(std::string_view bytes) {
  constexpr std::string_view kBzipBlock = "1AY&SY";
  for (const NoText& kind : kNoText) {
    if (!bytes.starts_with(kind.magic)) continue;
    // Marks that text may begin with ask for a second one.
    if (kind.magic == "BZh" && !bytes.substr(4).starts_with(kBzipBlock)) continue;
    if (kind.why == Why::kUtf16 && bytes.substr(0, kSniffed).find('\0') == std::string_view::npos) continue;
    return &kind;
  }
  return nullptr;
}

// Reads one file, plain or gzip, and hands it to the scanner piece by piece.
class FileScan {
 public:
  FileScan(const secrets::Scanner& scanner, ScanReport& report, const Options& options, Progress& progress, std::uint64_t total)
      : scanner_(scanner), report_(report), options_(options), progress_(progress), total_(total), buffer_(kRead, '\0') {}

  std::uint64_t found = 0;

  // What was not read of it, if anything.
  LeftOut scan(const ScanTarget& target) {
    const std::string& path = target.path;
    const bool standard_input = path == "-";
    // What was found on the way was a regular file then; should it be a pipe by now, opening must not wait for a writer.
    Descriptor fd(standard_input ? ::dup(0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | (target.walked ? O_NONBLOCK : 0)));
    struct stat status {};
    if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) return unreadable(path, std::string("cannot be opened: ") + std::strerror(errno));
    if (S_ISDIR(status.st_mode)) return unreadable(path, "cannot be read: a directory");
    if (target.walked && !S_ISREG(status.st_mode)) return NotScanned{path, Why::kSpecial, "no regular file any more"};
    gzFile in = ::gzdopen(fd.get(), "rb");
    if (in == nullptr) return unreadable(path, "cannot be opened: no memory");
    (void)fd.release();
    if (standard_input && isatty(0) != 0) std::fprintf(stderr, "reading standard input, Ctrl-D ends it\n");
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> closer(in, gzclose);
    gzbuffer(in, 128 << 10);
    auto place = standard_input ? secrets::Scanner::Place{} : scanner_.place(path);
    const auto sink = [&](const secrets::Stream::Line& line) { take(path, line); };
    const std::uint64_t size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
    if (options_.fragments) return read(in, target, size, secrets::Fragments(scanner_, std::move(place), options_.explain, sink));
    return read(in, target, size, secrets::Stream(scanner_, std::move(place), options_.explain, sink));
  }

 private:
  static LeftOut unreadable(const std::string& path, std::string reason) { return NotScanned{path, Why::kUnreadable, std::move(reason)}; }

  void take(const std::string& path, const secrets::Stream::Line& line) {
    if (!line.hits.empty() || !line.drops.empty()) progress_.clear();
    for (const auto& hit : line.hits) {
      ++found;
      report_.hit(path, line, hit);
    }
    for (const auto& drop : line.drops) report_.drop(path, line, drop);
  }

  template <typename Text>
  LeftOut read(gzFile in, const ScanTarget& target, std::uint64_t size, Text text) {
    const std::string& path = target.path;
    std::uint64_t unpacked = 0;
    for (bool first = true;; first = false) {
      const int got = gzread(in, buffer_.data(), kRead);
      if (got < 0) {
        text.finish();
        int code = 0;
        const char* const words = gzerror(in, &code);
        return unreadable(path, std::string("cannot be read to its end: ") + (code == Z_ERRNO ? std::strerror(errno) : words));
      }
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
      if (first) {
        // A file that was named is scanned whatever it is, unless that could find nothing; one found on the way is not.
        if (const NoText* kind = no_text(bytes)) return NotScanned{path, target.walked ? kind->why : Why::kUnreadable, kind->what};
        if (target.walked && bytes.substr(0, kSniffed).find('\0') != std::string_view::npos) {
          return NotScanned{path, Why::kBinary, "binary, passed over; name it to have it scanned"};
        }
      }
      // Of a packed file the packed bytes count, as they do in the total.
      const auto packed = static_cast<std::uint64_t>(std::max<z_off_t>(gzoffset(in), 0));
      progress_.at(done_ + packed, total_);
      if (bytes.empty()) break;
      text.feed(bytes);
      unpacked += bytes.size();
      if (unpacked > kUnpackedAnyway && unpacked / kMaxUnpacked > packed) {
        text.finish();
        return unreadable(path, "unpacks to more than " + std::to_string(kMaxUnpacked) + " times its size: read no further than " + std::to_string(unpacked >> 20) + " MiB");
      }
    }
    const auto end = static_cast<std::uint64_t>(std::max<z_off_t>(gzoffset(in), 0));
    done_ += end;
    text.finish();
    int code = Z_OK;
    (void)gzerror(in, &code);
    if (code == Z_BUF_ERROR) return unreadable(path, "ends in the middle of its compressed data; what came before was scanned");
    if (end < size) return unreadable(path, "became shorter while it was read: " + std::to_string(size - end) + " bytes were gone");
    return {};
  }

  const secrets::Scanner& scanner_;
  ScanReport& report_;
  const Options& options_;
  Progress& progress_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;  // bytes of the files before this one
  std::string buffer_;
};

// What was not looked at, on standard error: each failure, the first few of each kind that was passed over on purpose, and
// how many there were of each.
void show(const std::vector<NotScanned>& left_out, bool all) {
  static constexpr std::array<const char*, 7> kKinds = {"could not be read", "binary", "compressed otherwise than by gzip", "in UTF-16",
                                                        "behind links (--follow reads them)", "pipes, sockets and devices", "git's own"};
  std::array<std::size_t, kKinds.size()> count{};
  bool hidden = false;
  for (const auto& one : left_out) {
    const std::size_t nth = count[static_cast<std::size_t>(one.why)]++;
    const bool shown = one.why == Why::kUnreadable || all || nth < kShownLeftOut;
    hidden = hidden || !shown;
    if (shown) std::fprintf(stderr, "tocsin: %s: %s\n", printable(one.path).c_str(), printable(one.reason).c_str());
  }
  std::string counts;
  for (std::size_t i = 0; i < count.size(); ++i) {
    if (count[i] > 0) counts += (counts.empty() ? "" : ", ") + std::to_string(count[i]) + " " + kKinds[i];
  }
  if (!counts.empty()) std::fprintf(stderr, "not scanned: %s%s\n", counts.c_str(), hidden ? " (--explain names each)" : "");
}

void show(const std::vector<secrets::Diagnostic>& diagnostics, bool all) {
  const std::size_t shown = all ? diagnostics.size() : std::min(diagnostics.size(), kShownDiagnostics);
  for (std::size_t i = 0; i < shown; ++i) std::fprintf(stderr, "tocsin: %s: %s\n", diagnostics[i].where.c_str(), diagnostics[i].message.c_str());
  if (shown < diagnostics.size()) std::fprintf(stderr, "tocsin: and %zu more notes on the rules (--explain shows all)\n", diagnostics.size() - shown);
}

// `--rules a.toml b.toml app.log`: what follows --rules belongs to it up to the next option, and a rule file is TOML by
// its name. So whatever else stands behind the first one was meant to be scanned.
void sort_out(Options& options) {
  const auto is_input = [](const std::string& path) { return !to_lower(path).ends_with(".toml"); };
  if (options.rules.size() < 2) return;
  const auto inputs = std::stable_partition(options.rules.begin() + 1, options.rules.end(), [&](const std::string& path) { return !is_input(path); });
  options.files.insert(options.files.begin(), inputs, options.rules.end());
  options.rules.erase(inputs, options.rules.end());
}

// What cannot be set up is no finding: a pipeline that this guards must tell the two apart.
int refused(const Error& error) {
  (void)report(error);
  return kFailure;
}

int run(Options options) {
  sort_out(options);
  std::vector<secrets::RuleFile> files;
  for (const auto& path : options.rules) {
    auto file = read_secret_rules(path, options.default_rules);
    if (!file) return refused(file.error());
    files.push_back(std::move(*file));
  }
  secrets::Options how;
  how.fingerprint = fingerprinter(options.data);
  how.personal = !options.secrets_only;
  how.contacts = options.contacts;
  auto tokens = read_token_measure(options.tokens, options.words);
  if (!tokens) return refused(tokens.error());
  how.tokens = std::move(*tokens);
  auto loaded = secrets::Scanner::load(files, how);
  if (!loaded) return refused(loaded.error());
  show(loaded->diagnostics, options.explain);

  std::uint64_t total = 0;
  std::vector<NotScanned> left_out;
  const auto found = scan_targets(options.files.empty() ? std::vector<std::string>{"-"} : options.files, options.follow, total, left_out);
  const auto form = options.sarif ? ScanReport::Form::kSarif : options.json ? ScanReport::Form::kJson : ScanReport::Form::kText;
  const auto findings = ScanReport::make(form, loaded->scanner);
  std::uint64_t count = 0;
  std::size_t read = 0;  // files, to their end
  {
    Progress progress("scanning");
    FileScan scan(loaded->scanner, *findings, options, progress, total);
    for (const auto& target : found) {
      auto not_read = scan.scan(target);
      read += not_read ? 0U : 1U;
      if (not_read) left_out.push_back(std::move(*not_read));
    }
    count = scan.found;
  }
  const bool failed = std::any_of(left_out.begin(), left_out.end(), [](const NotScanned& one) { return one.why == Why::kUnreadable; });
  const int status = failed ? kFailure : count > 0 ? kFoundWrong : kAllWell;
  findings->finish({loaded->diagnostics, left_out, status, options.explain});
  std::fflush(stdout);
  show(left_out, options.explain);
  if (form == ScanReport::Form::kText) std::fprintf(stderr, "%llu found in %zu file%s\n", static_cast<unsigned long long>(count), read, read == 1 ? "" : "s");
  return status;
}

}  // namespace

void add_scan(CLI::App& app, Context& context) {
  CLI::App* scan = app.add_subcommand("scan", "find plaintext secrets and personal data in text");
  auto options = std::make_shared<Options>();
  scan->add_option("--rules", options->rules, "more rules: gitleaks or betterleaks TOML; several files may follow, all named *.toml but the first")->type_name("FILE");
  scan->add_option("--default-rules", options->default_rules, "the file that [extend] useDefault means")->type_name("FILE");
  auto* tokens = scan->add_option("--tokens", options->tokens, "the vocabulary that betterleaks' failsTokenEfficiency asks: cl100k_base in tiktoken's text form")->type_name("FILE");
  scan->add_option("--words", options->words, "the words that it asks besides, one per line")->type_name("FILE")->needs(tokens);
  scan->add_flag("--explain", options->explain, "also print what was looked at and dropped, with the reason");
  auto* json = scan->add_flag("--json", options->json, "one JSON object per finding");
  scan->add_flag("--sarif", options->sarif, "one SARIF 2.1.0 log, for code hosts and editors")->excludes(json);
  scan->add_flag("--contacts", options->contacts, "also e-mail addresses and telephone numbers: ordinary logs are full of them");
  scan->add_flag("--secrets-only", options->secrets_only, "leave out personal numbers (cards, IBAN, national ids)");
  scan->add_flag("--fragments", options->fragments, "cut files into gitleaks' fragments of 100 kB instead of lines: its findings, to the letter");
  scan->add_flag("--follow", options->follow, "read what links in directories lead to; each file and directory once");
  scan->add_option("FILE", options->files, "files or directories; - or none is standard input; .gz is unpacked")->type_name("FILE");
  add_data_option(*scan, options->data);
  scan->footer("Examples:\n"
               "  tocsin scan /var/log/app               everything below a directory: text and gzip; what else is there is named and counted\n"
               "  tocsin scan --follow /var/log/containers\n"
               "  kubectl logs app | tocsin scan --json  a pipe, one JSON object per finding\n"
               "  tocsin scan --rules gitleaks.toml --sarif . > scan.sarif\n\n"
               "Exit status: 0 nothing found, 1 something found, 2 wrong usage, 3 a file or the rules could not be read,\n"
               "whether or not something was found elsewhere (what was found is printed all the same). Files passed over on purpose (binary,\n"
               "links, pipes) do not change it.\n"
               "Fingerprints use the key of the data directory if there is one, else a key of this run only.");
  scan->callback([options, &context] { context.exit_status = run(*options); });
}

}  // namespace tocsin::engine
