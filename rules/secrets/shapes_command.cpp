// Command lines: which option of which program carries a password. The table is the knowledge; the reader cuts the line
// into words as a shell does (quotes, also escaped ones inside JSON), up to the end of the command.
#include <algorithm>
#include <array>
#include <optional>

#include "rules/base/text.hpp"
#include "rules/secrets/shapes.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kMaxWords = 64;      // of a command
constexpr std::size_t kMaxCommand = 2048;  // bytes of it that are read
constexpr std::size_t kMaxEcho = 200;      // bytes before "| chpasswd" that are looked at
constexpr std::size_t kMaxFolder = 120;    // bytes before a program's name, in a list of arguments

enum class How : std::uint8_t {
  kAttached,     // -pVALUE
  kNext,         // -p VALUE
  kBoth,         // either
  kPairColon,    // -u user:VALUE, attached or next
  kPairPercent,  // -U user%VALUE
  kPairComma,    // -u user,VALUE
  kOracle,       // first word user/VALUE[@service]
  kTarget,       // first word [domain/]user:VALUE@host
  kNetUse,       // net use \\server\share VALUE /user:…
  kSecondWord,   // net user name VALUE /add: the second word that is no option
  kFourthWord,   // mc alias set name address key VALUE
  kHtpasswd,     // htpasswd -b file user VALUE
};

struct Option {
  std::string_view program;  // the literal, lower case; what follows it up to a blank belongs to the program's name
  std::string_view flag;
  How how;
};

constexpr auto kOptions = std::to_array<Option>({
    {"mysql", "-p", How::kAttached}, {"mariadb", "-p", How::kAttached},
    {"sshpass", "-p", How::kBoth}, {"mongo", "-p", How::kBoth},
    {"redis-cli", "-a", How::kNext},
    {"ldapsearch", "-w", How::kBoth}, {"ldapmodify", "-w", How::kBoth}, {"ldapadd", "-w", How::kBoth},
    {"ldapdelete", "-w", How::kBoth}, {"ldapwhoami", "-w", How::kBoth}, {"ldappasswd", "-w", How::kBoth}, {"ldappasswd", "-s", How::kNext},
    {"curl", "-u", How::kPairColon}, {"curl", "--user", How::kPairColon}, {"curl", "--proxy-user", How::kPairColon},
    {"wget", "--user", How::kPairColon},
    {"smbclient", "-U", How::kPairPercent}, {"winexe", "-U", How::kPairPercent}, {"rpcclient", "-U", How::kPairPercent},
    {"docker login", "-p", How::kNext}, {"podman login", "-p", How::kNext}, {"oc login", "-p", How::kNext}, {"az login", "-p", How::kNext},
    {"registry login", "-p", How::kNext}, {"docker\",\"login", "-p", How::kNext}, {"docker\", \"login", "-p", How::kNext},
    {"docker\" a1=\"login", "-p", How::kNext},
    {"sqlcmd", "-P", How::kBoth}, {"bcp ", "-P", How::kBoth}, {"osql ", "-P", How::kBoth}, {"isql ", "-P", How::kBoth}, {"tsql ", "-P", How::kBoth},
    {"zip ", "-P", How::kNext}, {"7z ", "-p", How::kAttached}, {"7za ", "-p", How::kAttached}, {"rar ", "-hp", How::kAttached},
    {"rar ", "-p", How::kAttached},
    {"freerdp", "/p:", How::kAttached}, {"rdesktop", "-p", How::kNext},
    {"lftp", "-u", How::kPairComma},
    {"ipmitool", "-P", How::kNext}, {"snmpget", "-A", How::kNext}, {"snmpget", "-X", How::kNext}, {"snmpwalk", "-A", How::kNext},
    {"snmpwalk", "-X", How::kNext}, {"snmpset", "-A", How::kNext}, {"snmpset", "-X", How::kNext},
    {"psexec", "-p", How::kNext}, {"cqlsh", "-p", How::kNext}, {"smbmap", "-p", How::kNext}, {"crackmapexec", "-p", How::kNext},
    {"evil-winrm", "-p", How::kNext}, {"mosquitto_", "-P", How::kNext},
    {"sqlplus", "", How::kOracle}, {"expdp ", "", How::kOracle}, {"impdp ", "", How::kOracle}, {"sqlldr ", "", How::kOracle},
    {"impacket-", "", How::kTarget}, {"psexec.py", "", How::kTarget}, {"secretsdump", "", How::kTarget}, {"wmiexec", "", How::kTarget},
    {"net use ", "", How::kNetUse}, {"net user ", "", How::kSecondWord}, {"htpasswd -", "", How::kHtpasswd},
    {"rabbitmqctl add_user ", "", How::kSecondWord}, {"rabbitmqctl change_password ", "", How::kSecondWord},
    {"wpa_passphrase ", "", How::kSecondWord}, {"mc alias set ", "", How::kFourthWord}, {"etcdctl", "--user", How::kPairColon},
    {"plink", "-pw", How::kNext}, {"pscp", "-pw", How::kNext}, {"psftp", "-pw", How::kNext}, {"schtasks", "/rp", How::kNext},
    {"netexec", "-p", How::kNext}, {"hydra ", "-p", How::kNext},
});

// What says that the text of a here-string is a password: sudo -S <<< 'x', chpasswd <<< 'user:x'.
constexpr std::array<std::string_view, 7> kReaders = {"--stdin", "--password-stdin", "chpasswd", "kinit ", "--passphrase-fd 0", "-passin stdin", "cryptsetup "};
constexpr std::string_view kHereString = "<<<";
constexpr std::size_t kMaxReader = 160;  // bytes before the here-string that are looked at

// What expect scripts answer with: send "x\r", child.sendline('x'). A password where one is asked for near by.
constexpr std::array<std::string_view, 4> kSends = {"send \"", "send \\\"", "send -- ", "sendline("};
constexpr std::size_t kMaxAsked = 200, kMaxAskedBehind = 60;  // bytes around an answer in which the question stands
constexpr std::size_t kMaxAnswer = 64;

// What a password is piped into: "echo 'x' | passwd --stdin", "echo 'user:x' | chpasswd".
constexpr std::array<std::string_view, 4> kPipes = {"| chpasswd", "| passwd --stdin", "| sudo -s", "|chpasswd"};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

struct Word {
  std::size_t start = 0, end = 0;  // as written, quotes included
};

class Line {
 public:
  Line(std::string_view text, std::size_t at) : s_(text), at_(at), stop_(std::min(text.size(), at + kMaxCommand)) {}

  // Where the rest begins of a program's arguments written as a list, each in quotes: "mysql", "-psecret", or as auditd
  // writes them a0="mysql" a1="-psecret"; 0 if they are not. `at` is behind the program's name.
  static std::size_t list_after(std::string_view text, std::size_t program, std::size_t at);
  void read_list() { list_ = true; }

  std::optional<Word> next();
  std::size_t at() const { return at_; }
  std::string_view text(const Word& word) const { return s_.substr(word.start, word.end - word.start); }
  // What stands from `from` to the end of the word, without the quotes around it.
  Word bare(std::size_t from, std::size_t end) const;

 private:
  char get(std::size_t i) const { return i < stop_ ? s_[i] : '\0'; }
  // Length of a quote at i with the backslashes before it, 0 if there is none.
  std::size_t quote_at(std::size_t i) const {
    std::size_t slashes = 0;
    while (get(i + slashes) == '\\' && slashes < 8) ++slashes;
    const char c = get(i + slashes);
    return c == '"' || c == '\'' ? slashes + 1 : 0;
  }

  std::optional<Word> next_of_list();

  std::string_view s_;
  std::size_t at_, stop_;
  bool list_ = false;
};

std::size_t Line::list_after(std::string_view text, std::size_t program, std::size_t at) {
  std::size_t open = program;
  while (open > 0 && program - open < kMaxFolder && (is_name(text[open - 1]) || text[open - 1] == '/' || text[open - 1] == '-' || text[open - 1] == '.')) --open;
  if (open == 0 || (text[open - 1] != '"' && text[open - 1] != '\'')) return 0;
  const char quote = text[open - 1];
  for (std::size_t slashes = 0; slashes < 8 && at < text.size() && text[at] == '\\'; ++slashes) ++at;
  if (at + 2 >= text.size() || text[at] != quote) return 0;
  return text[at + 1] == ',' || (text[at + 1] == ' ' && text[at + 2] == 'a') ? at + 1 : 0;
}

// The next string of the list; what separates strings is a comma or a name with '='.
std::optional<Word> Line::next_of_list() {
  while (at_ < stop_ && quote_at(at_) == 0) {
    const char c = s_[at_];
    if (!is_blank(c) && !is_name(c) && c != ',' && c != '=' && !(c == '\\' && get(at_ + 1) == 'n')) return std::nullopt;
    ++at_;
  }
  if (at_ >= stop_) return std::nullopt;
  const std::size_t length = quote_at(at_);
  const std::size_t close = s_.substr(0, stop_).find(s_.substr(at_, length), at_ + length);
  if (close == std::string_view::npos) return std::nullopt;
  const Word word{at_ + length, close};
  at_ = close + length;
  return word;
}

std::optional<Word> Line::next() {
  if (list_) return next_of_list();
  while (at_ < stop_ && is_blank(s_[at_])) ++at_;
  Word word{at_, at_};
  while (at_ < stop_ && !is_blank(s_[at_])) {
    const char c = s_[at_];
    if (c == '\n' || c == '\r' || c == '|' || c == ';' || c == '`' || (c == '&' && get(at_ + 1) == '&')) break;
    if (c == '\\' && (get(at_ + 1) == 'n' || get(at_ + 1) == 'r') && !is_name(get(at_ + 2))) break;
    const std::size_t length = quote_at(at_);
    if (length == 0) {
      ++at_;
      continue;
    }
    // A quote opens at the start of a word, behind "-p" and behind '='; elsewhere it closes the string that holds the command.
    const std::string_view so_far = text({word.start, at_});
    const bool opens = so_far.empty() || (so_far.size() <= 3 && so_far[0] == '-') || so_far.back() == '=' || so_far.back() == ':' ||
                       so_far.back() == '/' || so_far.back() == ',' || so_far.back() == '%';
    if (!opens) {
      stop_ = at_;
      break;
    }
    const std::string_view mark = s_.substr(at_, length);
    const std::size_t close = s_.substr(0, stop_).find(mark, at_ + length);
    if (close == std::string_view::npos) {
      stop_ = at_;
      break;
    }
    at_ = close + length;
  }
  word.end = at_;
  if (word.end == word.start) return std::nullopt;
  return word;
}

Word Line::bare(std::size_t from, std::size_t end) const {
  const std::size_t length = quote_at(from);
  if (length == 0 || end < from + 2 * length) return {from, end};
  return {from + length, end - length};
}

class Command {
 public:
  Command(std::string_view text, std::vector<SecretPlace>& out) : s_(text), out_(out) {}

  std::size_t read(std::string_view program, std::size_t end, bool list);

 private:
  void take(std::size_t start, std::size_t end) {
    if (end > start) out_.push_back({start, end, Written::kArgument, FieldRule::kPasswordCommand});
  }
  void take_pair(const Word& word, char separator) {
    const auto at = s_.substr(0, word.end).find(separator, word.start);
    if (at != std::string_view::npos && at > word.start) take(at + 1, word.end);
  }
  void option(const Option& option, const Line& line, std::span<const Word> words, std::size_t i);
  void oracle(const Word& word);
  void target(const Word& word);
  void net_use(std::span<const Word> words);
  void nth_word(std::span<const Word> words, std::size_t n);

  std::string_view s_;
  std::vector<SecretPlace>& out_;
};

void Command::option(const Option& option, const Line& line, std::span<const Word> words, std::size_t i) {
  const std::string_view word = line.text(words[i]);
  if (!word.starts_with(option.flag)) return;
  const bool attached = word.size() > option.flag.size();
  const std::size_t behind = words[i].start + option.flag.size() + (attached && word[option.flag.size()] == '=' ? 1 : 0);
  const bool follows = i + 1 < words.size() && !line.text(words[i + 1]).starts_with("-");
  const auto next = [&] { return line.bare(words[i + 1].start, words[i + 1].end); };
  const auto pair = [&](char separator) {
    if (attached && option.flag.size() > 2 && word[option.flag.size()] != '=') return;  // --user-agent
    if (attached) take_pair(line.bare(behind, words[i].end), separator);
    if (!attached && follows) take_pair(next(), separator);
  };
  switch (option.how) {
    case How::kPairColon: return pair(':');
    case How::kPairPercent: return pair('%');
    case How::kPairComma: return pair(',');
    case How::kAttached:
    case How::kBoth:
      if (attached) {
        const Word value = line.bare(behind, words[i].end);
        return take(value.start, value.end);
      }
      if (option.how == How::kAttached) return;
      [[fallthrough]];
    case How::kNext:
      if (attached || !follows) return;
      return take(next().start, next().end);
    default: return;
  }
}

// user/password[@service]
void Command::oracle(const Word& word) {
  const std::string_view text = s_.substr(word.start, word.end - word.start);
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || text[0] == '/') return;
  const auto at = text.find('@', slash);
  take(word.start + slash + 1, word.start + std::min(at, text.size()));
}

// [domain/]user:password@host
void Command::target(const Word& word) {
  const std::string_view text = s_.substr(word.start, word.end - word.start);
  const auto colon = text.find(':');
  const auto at = text.rfind('@');
  if (colon == std::string_view::npos || at == std::string_view::npos || at < colon) return;
  take(word.start + colon + 1, word.start + at);
}

// net use [X:] \\server\share password /user:name
void Command::net_use(std::span<const Word> words) {
  bool share = false;
  for (const Word& word : words) {
    const std::string_view text = s_.substr(word.start, word.end - word.start);
    if (text.empty() || text[0] == '/' || text == "*") continue;
    const bool drive = text.size() == 2 && text[1] == ':';
    if (!drive && !text.starts_with("\\\\")) return share ? take(word.start, word.end) : void();
    share = share || !drive;
  }
}

// net user name password [/add]; options do not count, nor does the '*' that makes Windows ask.
void Command::nth_word(std::span<const Word> words, std::size_t n) {
  for (const Word& word : words) {
    const std::string_view text = s_.substr(word.start, word.end - word.start);
    if (text.empty() || text[0] == '/' || text[0] == '-' || text == "*") continue;
    if (--n == 0) return take(word.start, word.end);
  }
}

std::size_t Command::read(std::string_view program, std::size_t end, bool list) {
  Line line(s_, end);
  if (list) line.read_list();
  std::array<Word, kMaxWords> read{};
  std::size_t count = 0;
  while (count < read.size()) {
    const auto word = line.next();
    if (!word) break;
    read[count++] = *word;
  }
  const std::span<const Word> words(read.data(), count);
  for (const Option& option : kOptions) {
    if (option.program != program) continue;
    switch (option.how) {
      case How::kNetUse: net_use(words); break;
      case How::kSecondWord: nth_word(words, 2); break;
      case How::kFourthWord: nth_word(words, 4); break;
      case How::kHtpasswd:
        // The literal ends with '-': the first word is its letters.
        if (count >= 4 && line.text(words[0]).find('b') != std::string_view::npos) take(words[3].start, words[3].end);
        break;
      case How::kOracle:
      case How::kTarget:
        for (const Word& word : words) {
          const std::string_view text = line.text(word);
          if (text[0] == '-') continue;
          const Word value = line.bare(word.start, word.end);
          option.how == How::kOracle ? oracle(value) : target(value);
          break;
        }
        break;
      default:
        for (std::size_t i = 0; i < count; ++i) this->option(option, line, words, i);
    }
  }
  return line.at();
}

// echo 'x' | passwd --stdin: the last quoted or bare word before the bar.
void piped(std::string_view text, std::size_t bar, bool pair, std::vector<SecretPlace>& out) {
  const std::size_t from = bar > kMaxEcho ? bar - kMaxEcho : 0;
  const std::string_view before = text.substr(from, bar - from);
  auto at = before.rfind("echo ");
  if (at == std::string_view::npos) at = before.rfind("printf ");
  if (at == std::string_view::npos) return;
  Line line(text.substr(0, bar), from + at);
  (void)line.next();
  while (auto word = line.next()) {
    if (line.text(*word).starts_with("-")) continue;
    Word value = line.bare(word->start, word->end);
    if (pair) {
      const auto colon = text.substr(0, value.end).find(':', value.start);
      if (colon == std::string_view::npos) return;
      value.start = colon + 1;
    }
    if (value.end > value.start) out.push_back({value.start, value.end, Written::kArgument, FieldRule::kPasswordCommand});
    return;
  }
}

// sudo -S <<< 'x': the word behind the arrows, if the command before them reads a password.
void here_string(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out) {
  const std::size_t from = start > kMaxReader ? start - kMaxReader : 0;
  std::string_view before = text.substr(from, start - from);
  if (const auto cut = before.find_last_of("|;\n"); cut != std::string_view::npos) before.remove_prefix(cut + 1);
  const std::string command = to_lower(before);
  const auto sudo = command.rfind("sudo ");
  bool reads = std::any_of(kReaders.begin(), kReaders.end(), [&](std::string_view reader) { return command.find(reader) != std::string::npos; });
  if (sudo != std::string::npos) {
    // -S, also among other letters: sudo -kS. The letter is a capital one.
    for (std::size_t at = before.find(" -", sudo); at != std::string_view::npos && !reads; at = before.find(" -", at + 1)) {
      for (std::size_t i = at + 2; i < before.size() && is_name(before[i]); ++i) reads = reads || before[i] == 'S';
    }
  }
  if (!reads) return;
  Line line(text, end);
  const auto word = line.next();
  if (!word) return;
  Word value = line.bare(word->start, word->end);
  if (command.find("chpasswd") != std::string::npos) {
    const auto colon = text.substr(0, value.end).find(':', value.start);
    if (colon == std::string_view::npos) return;
    value.start = colon + 1;
  }
  if (value.end > value.start) out.push_back({value.start, value.end, Written::kArgument, FieldRule::kPasswordCommand});
}

// send "x\r": what stands in the quotes up to the line end that it sends.
void sent(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out) {
  std::size_t i = end;
  while (i > start && (text[i - 1] == '"' || text[i - 1] == '\\')) --i;
  std::size_t slashes = 0;
  while (i + slashes < text.size() && text[i + slashes] == '\\') ++slashes;
  i += slashes;
  const char quote = i < text.size() ? text[i] : '\0';
  if (quote != '"' && quote != '\'') return;
  const std::size_t from = ++i, stop = std::min(text.size(), from + kMaxAnswer);
  while (i < stop && text[i] != quote && text[i] != '\\' && !is_blank(text[i])) ++i;
  if (i == from || i >= stop || is_blank(text[i])) return;
  const std::size_t letter = std::min(text.find_first_not_of('\\', i), text.size());
  const bool ends_line = text.substr(letter).starts_with("r") || text.substr(letter).starts_with("n");
  if (text[start + 4] != 'l' && !(text[i] == '\\' && ends_line)) return;
  const std::size_t first = start > kMaxAsked ? start - kMaxAsked : 0;
  const std::string asked = to_lower(text.substr(first, start - first)) + "\n" + to_lower(text.substr(std::min(i + 2, text.size()), kMaxAskedBehind));
  for (const std::string_view word : {"assword", "assphrase", "asscode", "passwd", "pwd"}) {
    if (asked.find(word) != std::string::npos) return out.push_back({from, i, Written::kArgument, FieldRule::kPasswordCommand});
  }
}

}  // namespace

std::span<const std::string_view> command_literals() {
  static const std::vector<std::string_view> literals = [] {
    std::vector<std::string_view> out;
    for (const Option& option : kOptions) {
      if (std::find(out.begin(), out.end(), option.program) == out.end()) out.push_back(option.program);
    }
    out.insert(out.end(), kPipes.begin(), kPipes.end());
    out.insert(out.end(), kSends.begin(), kSends.end());
    out.push_back(kHereString);
    return out;
  }();
  return literals;
}

std::size_t read_command(std::string_view text, std::size_t start, std::size_t end, std::vector<SecretPlace>& out) {
  if (text[start] == '|') {
    const bool pair = iequals(text.substr(end - 8, 8), "chpasswd");
    piped(text, start, pair, out);
    return end;
  }
  if (text[start] == '<') {
    here_string(text, start, end, out);
    return end;
  }
  if (text.size() - start > 4 && iequals(text.substr(start, 4), "send") && (text[start + 4] == ' ' || text[start + 4] == 'l' || text[start + 4] == 'L')) {
    if (start == 0 || !is_name(text[start - 1])) sent(text, start, end, out);
    return end;
  }
  const bool inside = start > 0 && (is_name(text[start - 1]) || (text[start - 1] == '.' && start > 1 && is_name(text[start - 2])));
  const std::string program = to_lower(text.substr(start, end - start));
  // unzip, xfreerdp: the name may begin earlier.
  const bool may_begin_earlier = program == "zip " || program == "freerdp" || program == "rar ";
  if (inside && !may_begin_earlier) return end;
  // mysqldump, mongodump, impacket-psexec; then a blank. "docker login:" is a heading.
  std::size_t i = end;
  const std::size_t limit = std::min(text.size(), end + 24);
  while (i < limit && (is_name(text[i]) || text[i] == '-' || text[i] == '.')) ++i;
  if (program.back() == ' ' || program == "htpasswd -") i = end;
  if (const std::size_t list = Line::list_after(text, start, i); list != 0) return Command(text, out).read(program, list, true);
  if (i >= text.size() || (!is_blank(text[i]) && program.back() != ' ' && program != "htpasswd -")) return end;
  return Command(text, out).read(program, i, false);
}

}  // namespace tocsin::rules::secrets
