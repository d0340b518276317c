// tocsin scan FILE…: plaintext secrets and personal data in text, one line per finding, and never the secret itself.
#include <sodium.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "engine/app/cli.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/scanner.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
namespace secrets = rules::secrets;

constexpr std::size_t kChunk = 1 << 20;      // read at once
constexpr std::size_t kMaxLine = 64 << 20;   // a longer line is taken in pieces of this
constexpr std::size_t kMaxKeyBlock = 16 << 10;  // a PEM block that goes over several lines
constexpr std::size_t kSniffed = 8 << 10;    // bytes that tell a binary file
constexpr std::size_t kShownDiagnostics = 10;
constexpr int kMaxDepth = 64;                // of directories

struct Options {
  std::vector<std::string> rules;
  std::vector<std::string> files;
  fs::path data;
  bool explain = false;
  bool json = false;
  bool secrets_only = false;
  bool contacts = false;
};

Result<std::string> read_whole(const std::string& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::kNotFound, "cannot be read", path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return fail(Errc::kIo, "cannot be read", path);
  if (text.size() > limit) return fail(Errc::kTooLarge, "is larger than " + std::to_string(limit) + " bytes", path);
  return text;
}

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

// Prints findings and counts them.
class Report {
 public:
  explicit Report(const Options& options) : options_(options) {}

  void line(const secrets::Scanner& scanner, const secrets::Scanner::Place& place, const std::string& file, std::uint64_t number,
            std::string_view text, std::size_t shown) {
    hits_.clear();
    drops_.clear();
    scanner.scan(text, place, hits_, options_.explain ? &drops_ : nullptr);
    for (auto& hit : hits_) {
      hit.start = std::min(hit.start, shown);
      hit.end = std::min(hit.end, shown);
      ++found;
      print(file, number, hit);
    }
    for (const auto& drop : drops_) print(file, number, drop);
  }

  std::uint64_t found = 0;

 private:
  void print(const std::string& file, std::uint64_t number, const secrets::Hit& hit) const {
    if (!options_.json) {
      std::printf("%s:%llu:%zu: %s  %s (%s)  %s%s%s\n", printable(file).c_str(), static_cast<unsigned long long>(number), hit.start + 1,
                  std::string(name(hit.kind)).c_str(), std::string(hit.description).c_str(), std::string(name(hit.tier)).c_str(),
                  hit.preview.c_str(), hit.note.empty() ? "" : "  ", hit.note.c_str());
      return;
    }
    boost::json::object out{{"file", to_utf8(file)}, {"line", number}, {"start", hit.start}, {"end", hit.end},
                            {"rule", hit.rule}, {"kind", name(hit.kind)}, {"tier", name(hit.tier)}, {"preview", hit.preview},
                            {"fingerprint", hit.fingerprint}};
    out["note"] = hit.note.empty() ? boost::json::value(nullptr) : boost::json::value(hit.note);
    std::printf("%s\n", boost::json::serialize(out).c_str());
  }

  void print(const std::string& file, std::uint64_t number, const secrets::Drop& drop) const {
    if (!options_.json) {
      std::printf("%s:%llu:%zu: dropped  %s: %s\n", printable(file).c_str(), static_cast<unsigned long long>(number), drop.start + 1,
                  std::string(drop.rule).c_str(), printable(drop.reason).c_str());
      return;
    }
    const boost::json::object out{{"file", to_utf8(file)}, {"line", number}, {"start", drop.start}, {"end", drop.end},
                                  {"rule", drop.rule}, {"dropped", to_utf8(drop.reason)}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  }

  const Options& options_;
  std::vector<secrets::Hit> hits_;
  std::vector<secrets::Drop> drops_;
};

// One file, plain or gzip, cut into lines.
class FileScan {
 public:
  FileScan(const secrets::Scanner& scanner, Report& report, Progress& progress, std::uint64_t total)
      : scanner_(scanner), report_(report), progress_(progress), total_(total) {}

  Result<void> scan(const std::string& path, bool skip_binary) {
    file_ = path;
    const bool standard_input = path == "-";
    gzFile in = standard_input ? gzdopen(dup(0), "rb") : gzopen(path.c_str(), "rb");
    if (in == nullptr) return fail(Errc::kNotFound, "cannot be opened", path);
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> closer(in, gzclose);
    gzbuffer(in, 128 << 10);
    place_ = standard_input ? secrets::Scanner::Place{} : scanner_.place(path);
    number_ = 1;
    held_.clear();
    bool first = true;
    for (;;) {
      const std::size_t kept = held_.size();
      held_.resize(kept + kChunk);
      const int got = gzread(in, held_.data() + kept, kChunk);
      if (got < 0) {
        held_.resize(kept);
        finish();
        int code = 0;
        return fail(Errc::kCorrupt, std::string("cannot be read to its end: ") + gzerror(in, &code), path);
      }
      held_.resize(kept + static_cast<std::size_t>(got));
      done_ += static_cast<std::uint64_t>(got);
      if (first && skip_binary && held_.substr(0, kSniffed).find('\0') != std::string::npos) return {};
      first = false;
      progress_.at(done_, total_);
      if (got == 0) break;
      take_lines(false);
    }
    finish();
    int code = Z_OK;
    (void)gzerror(in, &code);
    if (code == Z_BUF_ERROR) return fail(Errc::kCorrupt, "ends in the middle of its compressed data; what came before was scanned", path);
    return {};
  }

 private:
  void finish() {
    take_lines(true);
    if (!held_.empty()) one(held_, held_.size());
    held_.clear();
  }

  // Scans the whole lines held, keeps the rest.
  void take_lines(bool last) {
    const std::string_view text = held_;
    std::size_t at = 0;
    for (;;) {
      const auto newline = text.find('\n', at);
      if (newline == std::string_view::npos) break;
      std::size_t end = newline;
      const std::string_view line = text.substr(at, end - at);
      // A private key goes over many lines; it is one finding, at the line where it begins.
      if (line.find("-----BEGIN") != std::string_view::npos && line.find("-----END") == std::string_view::npos) {
        const auto close = text.find("-----END", end);
        const bool near = close != std::string_view::npos && close - at < kMaxKeyBlock;
        if (!near && !last && text.size() - at < kMaxKeyBlock) break;
        const auto close_line = near ? text.find('\n', close) : std::string_view::npos;
        if (near && close_line == std::string_view::npos && !last) break;
        if (near) end = close_line == std::string_view::npos ? text.size() : close_line;
      }
      const std::string_view record = text.substr(at, end - at);
      one(record, line.size());
      number_ += 1 + static_cast<std::uint64_t>(std::count(record.begin(), record.end(), '\n'));
      at = std::min(end + 1, text.size());
    }
    while (held_.size() - at > kMaxLine) {
      one(text.substr(at, kMaxLine), kMaxLine);
      at += kMaxLine;
    }
    held_.erase(0, at);
  }

  void one(std::string_view record, std::size_t shown) {
    if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
    report_.line(scanner_, place_, file_, number_, record, std::min(shown, record.size()));
  }

  const secrets::Scanner& scanner_;
  Report& report_;
  Progress& progress_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  secrets::Scanner::Place place_;
  std::string file_;
  std::string held_;
  std::uint64_t number_ = 1;
};

struct Target {
  std::string path;
  bool walked = false;  // found in a directory: binary files are passed over
};

// The files named, and those below the directories named.
std::vector<Target> targets(const std::vector<std::string>& named, std::uint64_t& bytes, std::vector<Error>& errors) {
  std::vector<Target> out;
  for (const auto& path : named) {
    std::error_code ec;
    if (path == "-" || !fs::is_directory(path, ec)) {
      out.push_back({path, false});
      if (path != "-") bytes += fs::is_regular_file(path, ec) ? fs::file_size(path, ec) : 0;
      continue;
    }
    auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, ec);
    if (ec) {
      errors.push_back(Error{Errc::kIo, "cannot be walked: " + ec.message(), path, {}});
      continue;
    }
    for (const fs::recursive_directory_iterator end; it != end; it.increment(ec)) {
      if (ec) break;
      if (it.depth() >= kMaxDepth || it->path().filename() == ".git") it.disable_recursion_pending();
      if (!it->is_regular_file(ec) || it->is_symlink(ec)) continue;
      out.push_back({it->path().string(), true});
      bytes += it->file_size(ec);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Target& a, const Target& b) { return a.walked && b.walked && a.path < b.path; });
  return out;
}

void show(const std::vector<secrets::Diagnostic>& diagnostics, bool all) {
  const std::size_t shown = all ? diagnostics.size() : std::min(diagnostics.size(), kShownDiagnostics);
  for (std::size_t i = 0; i < shown; ++i) std::fprintf(stderr, "tocsin: %s: %s\n", diagnostics[i].where.c_str(), diagnostics[i].message.c_str());
  if (shown < diagnostics.size()) std::fprintf(stderr, "tocsin: and %zu more notes on the rules (--explain shows all)\n", diagnostics.size() - shown);
}

int run(const Options& options) {
  std::vector<secrets::RuleFile> files;
  for (const auto& path : options.rules) {
    auto text = read_whole(path, secrets::Scanner::kMaxRuleFile);
    if (!text) return report(text.error());
    files.push_back({path, std::move(*text)});
  }
  secrets::Options how;
  how.fingerprint = fingerprinter(options.data);
  how.personal = !options.secrets_only;
  how.contacts = options.contacts;
  auto loaded = secrets::Scanner::load(files, how);
  if (!loaded) return report(loaded.error());
  show(loaded->diagnostics, options.explain);

  std::uint64_t total = 0;
  std::vector<Error> errors;
  const auto found = targets(options.files.empty() ? std::vector<std::string>{"-"} : options.files, total, errors);
  Report findings(options);
  {
    Progress progress("scanning");
    FileScan scan(loaded->scanner, findings, progress, total);
    for (const auto& target : found) {
      if (auto done = scan.scan(target.path, target.walked); !done) errors.push_back(done.error());
    }
  }
  std::fflush(stdout);
  for (const auto& error : errors) (void)engine::report(error);
  if (!options.json) std::fprintf(stderr, "%llu found in %zu files\n", static_cast<unsigned long long>(findings.found), found.size());
  if (!errors.empty()) return kFailure;
  return findings.found > 0 ? kFoundWrong : kAllWell;
}

}  // namespace

void add_scan(CLI::App& app, Context& context) {
  CLI::App* scan = app.add_subcommand("scan", "find plaintext secrets and personal data in text");
  auto options = std::make_shared<Options>();
  scan->add_option("--rules", options->rules, "more rules: gitleaks or betterleaks TOML (may be given several times)")->type_name("FILE");
  scan->add_flag("--explain", options->explain, "also print what was looked at and dropped, with the reason");
  scan->add_flag("--json", options->json, "one JSON object per finding");
  scan->add_flag("--contacts", options->contacts, "also e-mail addresses and telephone numbers: ordinary logs are full of them");
  scan->add_flag("--secrets-only", options->secrets_only, "leave out personal numbers (cards, IBAN, national ids)");
  scan->add_option("FILE", options->files, "files or directories; - or none is standard input; .gz is unpacked")->type_name("FILE");
  add_data_option(*scan, options->data);
  scan->footer("Exit status: 0 nothing found, 1 something found, 3 a file could not be read.\n"
               "Fingerprints use the key of the data directory if there is one, else a key of this run only.");
  scan->callback([options, &context] { context.exit_status = run(*options); });
}

}  // namespace tocsin::engine
