// Segments against a list of all reaches that is searched from end to end; and segments whose bytes are damaged.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "storage/exposure/builder.hpp"
#include "storage/exposure/query.hpp"
#include "storage/files/durable_file.hpp"

namespace tocsin::storage::exposure {
namespace {

namespace fs = std::filesystem;

struct OneReach {
  std::string actor, dataset;
  Attribute attribute;
  Second second = 0;
  std::vector<PersonNo> people;
};

// The slow twin.
struct Oracle {
  std::vector<OneReach> reaches;

  template <class Each>
  void matching(const Question& q, Each&& each) const {
    for (const OneReach& r : reaches) {
      if (!q.actor.empty() && r.actor != q.actor) continue;
      if (!q.dataset.empty() && r.dataset != q.dataset) continue;
      if (r.second <= q.window.to && r.second + r.attribute.extent >= q.window.from) each(r);
    }
  }
};

std::set<std::string> words(const std::string& joined) {
  std::set<std::string> out;
  std::string word;
  for (const char c : joined + '\x1f') {
    if (c != '\x1f') word += c;
    else if (!joined.empty()) out.insert(std::exchange(word, ""));
  }
  return out;
}

struct SlowSum {
  Grade grade = Grade::kUnknown;
  std::set<std::string> fields;
  Second first = 0, last = 0;
  std::uint64_t reaches = 0;
  void add(const OneReach& r) {
    const Second end = r.second + r.attribute.extent;
    grade = reaches == 0 ? r.attribute.grade : std::min(grade, r.attribute.grade);
    first = reaches == 0 ? r.second : std::min(first, r.second);
    last = reaches == 0 ? end : std::max(last, end);
    fields.merge(words(r.attribute.fields));
    ++reaches;
  }
};

void expect_same(const Sum& fast, const SlowSum& slow, const std::string& what) {
  EXPECT_EQ(fast.grade, slow.grade) << what;
  EXPECT_EQ(*fast.fields, slow.fields) << what;
  EXPECT_EQ(fast.first, slow.first) << what;
  EXPECT_EQ(fast.last, slow.last) << what;
  EXPECT_EQ(fast.reaches, slow.reaches) << what;
}

std::vector<PersonNo> numbers(const PersonSet& set) {
  std::vector<PersonNo> out;
  set.each([&](PersonNo no) {
    out.push_back(no);
    return true;
  });
  return out;
}

void compare(const Segments& segments, const Oracle& oracle, const Question& q, PersonNo person) {
  const std::string what = q.actor + "/" + q.dataset + " " + std::to_string(q.window.from) + ".." + std::to_string(q.window.to);
  Damage damage;
  const auto fast = find_people(segments, q, damage);
  std::map<std::string, std::set<PersonNo>> everyone, confirmed;
  std::map<std::string, Grade> worst;
  std::map<std::string, std::uint64_t> least;
  std::map<std::string, std::map<PersonNo, SlowSum>> sums;
  oracle.matching(q, [&](const OneReach& r) {
    everyone[r.dataset].insert(r.people.begin(), r.people.end());
    if (r.attribute.confirmed) confirmed[r.dataset].insert(r.people.begin(), r.people.end());
    else least[r.dataset] = std::max<std::uint64_t>(least[r.dataset], r.attribute.least);
    worst[r.dataset] = std::max(worst[r.dataset], r.attribute.grade);
    for (const PersonNo no : r.people) sums[r.dataset][no].add(r);
  });
  ASSERT_EQ(fast.size(), everyone.size()) << what;
  for (const auto& [dataset, found] : fast) {
    const std::vector<PersonNo> slow(everyone[dataset].begin(), everyone[dataset].end());
    ASSERT_EQ(numbers(found.everyone()), slow) << what;
    EXPECT_EQ(numbers(found.confirmed), std::vector<PersonNo>(confirmed[dataset].begin(), confirmed[dataset].end())) << what;
    EXPECT_EQ(found.worst, worst[dataset]) << what;
    EXPECT_EQ(found.least, least[dataset]) << what;
    EXPECT_EQ(found.everyone().size(), slow.size());
    Question narrow = q;
    narrow.dataset = dataset;
    // Half of them, so that leaving out is tested too.
    PersonSet wanted;
    for (const PersonNo no : slow) {
      if (no % 2 == person % 2) wanted.add(no);
    }
    const PersonSums described = describe_people(segments, narrow, wanted, damage);
    ASSERT_EQ(described.people, numbers(wanted)) << what;
    for (std::size_t i = 0; i < described.people.size(); ++i) {
      expect_same(described.sums[i], sums[dataset][described.people[i]], what + " person " + std::to_string(described.people[i]));
    }
  }
  for (const std::string dataset : {"patient", "staff"}) {
    const ActorSums actors = find_actors(segments, dataset, person, q.window, damage);
    std::map<std::string, SlowSum> slow;
    oracle.matching({"", dataset, q.window}, [&](const OneReach& r) {
      if (std::binary_search(r.people.begin(), r.people.end(), person)) slow[r.actor].add(r);
    });
    ASSERT_EQ(actors.actors.size(), slow.size()) << what << " who saw " << person;
    for (const auto& [actor, sum] : actors.actors) expect_same(sum, slow[actor], what + " who saw, " + actor);
  }
  EXPECT_TRUE(damage.errors.empty()) << damage.errors.front().text();
}

class SegmentTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("tocsin-segment-" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  fs::path write(const std::string& bytes) {
    fs::path file = dir_ / ("exp-" + std::to_string(files_++) + ".tes");
    EXPECT_TRUE(write_durably(file, bytes));
    return file;
  }
  std::shared_ptr<const Segment> open(const std::string& bytes) {
    auto segment = Segment::open(write(bytes));
    EXPECT_TRUE(segment) << segment.error().text();
    if (!segment) return nullptr;
    EXPECT_TRUE((*segment)->verify());
    return std::move(*segment);
  }
  // Seals `reaches` into one segment for each slice; several if `every` is smaller than their number.
  Segments sealed(const std::vector<OneReach>& reaches, std::size_t every) {
    Segments out;
    std::map<Second, SegmentBuilder> open_slices;
    const auto seal = [&](std::map<Second, SegmentBuilder>::iterator at) {
      out.push_back(open(at->second.seal()));
      open_slices.erase(at);
    };
    for (const OneReach& r : reaches) {
      const Second slice = slice_of(r.second);
      const auto at = open_slices.try_emplace(slice, SegmentBuilder(slice)).first;
      const auto kind = at->second.attribute(r.attribute);
      EXPECT_TRUE(kind);
      EXPECT_TRUE(at->second.add(r.actor, r.dataset, *kind, r.second, r.people));
      if (at->second.size() >= every) seal(at);
    }
    while (!open_slices.empty()) seal(open_slices.begin());
    return out;
  }
  fs::path dir_;
  int files_ = 0;
};

struct Shape {
  const char* name;
  std::uint64_t seed;
  int reaches, actors, days;
  PersonNo universe;
  std::size_t every;
  double wide, extended;
  bool in_order;
};

std::vector<OneReach> random_reaches(const Shape& shape, std::mt19937_64& random) {
  std::vector<OneReach> out;
  const auto number = [&](std::uint64_t n) { return random() % n; };
  for (int i = 0; i < shape.reaches; ++i) {
    OneReach r;
    r.actor = "a" + std::to_string(std::min(number(static_cast<std::uint64_t>(shape.actors)), number(static_cast<std::uint64_t>(shape.actors))));
    r.dataset = number(4) == 0 ? "staff" : "patient";
    r.attribute.grade = static_cast<Grade>(number(3));
    r.attribute.confirmed = number(2) == 0;
    r.attribute.least = r.attribute.confirmed ? 0 : static_cast<std::uint32_t>(number(3));
    r.attribute.extent = static_cast<double>(number(1000)) < shape.extended * 1000 ? static_cast<std::uint32_t>(number(20'000)) : 0;
    static const char* const kFields[] = {"", "name", "email\x1fname", "*", "visit.ward\x1f*"};
    r.attribute.fields = kFields[number(5)];
    r.attribute.way = number(2) == 0 ? "select" : "copy";
    r.attribute.reason = "because " + std::to_string(number(3));
    const Second span = shape.days * kDay;
    r.second = 1'000 * kSlice + 30 * kDay + (shape.in_order ? span * i / shape.reaches : static_cast<Second>(number(static_cast<std::uint64_t>(span))));
    std::set<PersonNo> people;
    const bool wide = static_cast<double>(number(1000)) < shape.wide * 1000;
    const std::uint64_t size = wide ? kWide + number(kWide) : number(10) == 0 ? 1 + number(40) : 1;
    if (wide) {
      const auto begin = static_cast<PersonNo>(number(shape.universe));
      for (std::uint64_t n = 0; n < size; ++n) people.insert(begin + static_cast<PersonNo>(n * (1 + number(2))));
      while (people.size() < kWide) people.insert(*people.rbegin() + 1);
    } else {
      for (std::uint64_t n = 0; n < size; ++n) people.insert(static_cast<PersonNo>(std::min(number(shape.universe), number(shape.universe))));
    }
    r.people.assign(people.begin(), people.end());
    out.push_back(std::move(r));
  }
  return out;
}

TEST_F(SegmentTest, AnswersAsASearchOfAllReachesDoes) {
  const Shape shapes[] = {
      {"few people, many times", 1, 20'000, 5, 3, 40, 1'000'000, 0, 0.01, true},
      {"sparse", 2, 4'000, 60, 90, 5'000'000, 1'000'000, 0, 0, true},
      {"many small segments", 3, 4'000, 10, 70, 500, 300, 0, 0.2, true},
      {"wide reaches", 4, 600, 6, 3, 60'000, 1'000'000, 0.1, 0.1, true},
      {"out of order", 5, 6'000, 12, 40, 3'000, 1'500, 0.002, 0.05, false},
      {"one actor, busy days", 6, 30'000, 1, 4, 20'000, 1'000'000, 0, 0, true},
      {"numbers up to the end", 7, 500, 3, 2, 4'294'900'000U, 1'000'000, 0, 0, true},
  };
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(shape.name);
    std::mt19937_64 random(shape.seed);
    Oracle oracle{random_reaches(shape, random)};
    const Segments segments = sealed(oracle.reaches, shape.every);
    const auto any_reach = [&]() -> const OneReach& { return oracle.reaches[random() % oracle.reaches.size()]; };
    for (int i = 0; i < 40 && !HasFatalFailure(); ++i) {
      Question q;
      if (random() % 3 != 0) q.actor = any_reach().actor;
      if (random() % 2 == 0) q.dataset = any_reach().dataset;
      // Ends on a reach, one second beside it, on a day's or slice's border, anywhere, or open.
      const auto edge = [&]() -> Second {
        const Second s = any_reach().second;
        switch (random() % 6) {
          case 0: return s;
          case 1: return s - 1;
          case 2: return s + 1;
          case 3: return s / kDay * kDay - static_cast<Second>(random() % 2);
          case 4: return slice_of(s) * kSlice - static_cast<Second>(random() % 2);
          default: return s + any_reach().attribute.extent;
        }
      };
      if (random() % 5 != 0) q.window.from = edge();
      if (random() % 5 != 0) q.window.to = edge();
      const OneReach& seen = any_reach();
      compare(segments, oracle, q, random() % 8 == 0 ? static_cast<PersonNo>(random()) : seen.people[random() % seen.people.size()]);
    }
    if (HasFatalFailure()) return;
  }
}

TEST_F(SegmentTest, NothingIsAskedOfOtherTimesAndNames) {
  const Segments segments = sealed({{"anna", "patient", {Grade::kExact, true, 0, 0, "name", "select", "r"}, 100, {7}}}, 100);
  Damage damage;
  EXPECT_TRUE(find_people(segments, {"bela", "", {}}, damage).empty());
  EXPECT_TRUE(find_people(segments, {"anna", "staff", {}}, damage).empty());
  EXPECT_TRUE(find_people(segments, {"anna", "", {101, 200}}, damage).empty());
  EXPECT_TRUE(find_people(segments, {"anna", "", {0, 99}}, damage).empty());
  EXPECT_EQ(find_people(segments, {"anna", "", {100, 100}}, damage).size(), 1U);
  EXPECT_TRUE(find_actors(segments, "patient", 6, {}, damage).actors.empty());
  EXPECT_TRUE(find_actors(segments, "name", 7, {}, damage).actors.empty());
  EXPECT_EQ(find_actors(segments, "patient", 7, {}, damage).actors.size(), 1U);
}

TEST_F(SegmentTest, TimesBefore1970AreInASliceOfTheirOwn) {
  EXPECT_EQ(slice_of(-1), -1);
  EXPECT_EQ(slice_of(-kSlice), -1);
  EXPECT_EQ(slice_of(-kSlice - 1), -2);
  const Segments segments = sealed({{"anna", "patient", {Grade::kExact, true, 0, 0, "", "", ""}, -5, {7}},
                                    {"anna", "patient", {Grade::kExact, true, 0, 0, "", "", ""}, 5, {8}}}, 100);
  ASSERT_EQ(segments.size(), 2U);
  Damage damage;
  EXPECT_EQ(find_people(segments, {"anna", "", {-5, 4}}, damage).at("patient").everyone().size(), 1U);
}

TEST_F(SegmentTest, LimitsRefuseAndAddNothing) {
  SegmentBuilder open(0);
  const PersonNo one = 1;
  EXPECT_FALSE(open.attribute({Grade::kExact, true, 0, 0, std::string(kMaxText + 1, 'x'), "", ""}));
  EXPECT_FALSE(open.attribute({Grade::kExact, true, 0, static_cast<std::uint32_t>(kMaxExtent) + 1, "", "", ""}));
  const auto kind = open.attribute({Grade::kExact, true, 0, 0, "", "", ""});
  ASSERT_TRUE(kind);
  EXPECT_FALSE(open.add(std::string(kMaxText + 1, 'x'), "patient", *kind, 1, {&one, 1}));
  EXPECT_EQ(open.size(), 0U);
}

// What the process has read from files so far.
std::uint64_t bytes_read() {
  std::ifstream in("/proc/self/io");
  std::string word;
  std::uint64_t value = 0;
  while (in >> word >> value) {
    if (word == "rchar:") return value;
  }
  return 0;
}

// The builder refuses at its named limit, having taken no more memory than it says, and what it has can be sealed.
TEST_F(SegmentTest, ABuilderEndsAtItsLimit) {
  SegmentBuilder open(0);
  const auto kind = open.attribute({Grade::kExact, true, 0, 0, "name", "select", "r"});
  std::vector<PersonNo> some(kWide - 1);
  std::size_t added = 0;
  for (std::uint32_t n = 0;; ++n) {
    for (std::size_t i = 0; i < some.size(); ++i) some[i] = static_cast<PersonNo>(n * 7 + i * 3);
    if (!open.add("a" + std::to_string(n % 50), "patient", *kind, n, some)) break;
    added += some.size();
    ASSERT_LE(added, kMaxSegmentAccesses);
  }
  EXPECT_EQ(open.size(), added);
  EXPECT_GT(added + some.size(), kMaxSegmentAccesses);
  EXPECT_LE(open.memory(), kMaxSegmentAccesses * 16 * 2 + (1U << 20));  // 16 bytes each, and room to grow
  const auto segment = Segment::open(write(open.seal()));
  ASSERT_TRUE(segment) << segment.error().text();
  EXPECT_EQ((*segment)->tables().accesses, added);
  EXPECT_EQ(open.size(), 0U);
}

// A year of segments: opening reads the tables only, a question reads what it is about, and an answer is as large as the
// dataset, not as the accesses.
TEST_F(SegmentTest, OpeningAndAskingAYearReadsLittleAndStaysSmall) {
  constexpr int kSegments = 24;
  constexpr PersonNo kUniverse = 200'000;
  const PersonNo hot = 77;
  std::mt19937_64 random(5);
  std::vector<fs::path> files;
  std::uint64_t all_bytes = 0, accesses = 0;
  for (int s = 0; s < kSegments; ++s) {
    SegmentBuilder open(600 + s / 2);
    const auto kind = open.attribute({Grade::kExact, true, 0, 0, "name", "select", "r"});
    for (int i = 0; i < 40'000; ++i) {
      // One actor makes half of all; one person is seen by everybody.
      const std::string actor = "a" + std::to_string(i % 2 == 0 ? 0 : 1 + random() % 200);
      const PersonNo no = i % 50 == 1 ? hot : static_cast<PersonNo>(random() % kUniverse);
      ASSERT_TRUE(open.add(actor, "patient", *kind, open.slice() * kSlice + i * 60, {&no, 1}));
    }
    accesses += open.size();
    files.push_back(write(open.seal()));
    all_bytes += fs::file_size(files.back());
  }
  const std::uint64_t before = bytes_read();
  Segments year;
  std::size_t tables = 0;
  for (const fs::path& file : files) {
    year.push_back(Segment::open(file).value());
    tables += year.back()->memory();
  }
  const std::uint64_t opened = bytes_read() - before;
  EXPECT_LT(opened, all_bytes / 10) << "of " << all_bytes;
  EXPECT_LT(tables, all_bytes / 5);
  Damage damage;
  const auto found = find_people(year, {"a0", "patient", {}}, damage);
  const std::uint64_t actor_read = bytes_read() - before - opened;
  EXPECT_LT(actor_read, all_bytes * 6 / 10) << "half of the accesses, once";
  EXPECT_GT(found.at("patient").everyone().size(), kUniverse / 2U);
  EXPECT_LE(found.at("patient").confirmed.memory(), (kUniverse / 65'536 + 1) * 8'192 + 4'096) << "one bit a person, whatever the accesses";
  const ActorSums seen = find_actors(year, "patient", hot, {}, damage);
  const std::uint64_t person_read = bytes_read() - before - opened - actor_read;
  EXPECT_EQ(seen.actors.size(), 200U + 1U);
  EXPECT_LT(person_read, all_bytes / 20) << "one block of postings a segment, not its accesses";
  EXPECT_TRUE(damage.errors.empty());
  RecordProperty("accesses", std::to_string(accesses));
}

// Each byte of a small segment, changed: an error or the right answer, never a wrong one.
TEST_F(SegmentTest, DamageIsFoundWhereverItIs) {
  std::mt19937_64 random(11);
  const Oracle oracle{random_reaches({"", 11, 40, 3, 2, 200, 1'000'000, 0, 0.1, true}, random)};
  SegmentBuilder open(slice_of(oracle.reaches.front().second));
  for (const OneReach& r : oracle.reaches) {
    if (slice_of(r.second) != open.slice()) continue;
    ASSERT_TRUE(open.add(r.actor, r.dataset, *open.attribute(r.attribute), r.second, r.people));
  }
  std::vector<PersonNo> run(kWide);
  for (PersonNo no = 0; no < kWide; ++no) run[no] = 100 + no;
  ASSERT_TRUE(open.add("wide", "patient", 0, open.slice() * kSlice, run));
  const std::string bytes = open.seal();
  const fs::path file = write(bytes);
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (random() % 8)));
    {
      std::ofstream out(file, std::ios::binary);
      out << damaged;
    }
    const auto segment = Segment::open(file);
    if (!segment) {
      EXPECT_TRUE(segment.error().code == Errc::kCorrupt || segment.error().code == Errc::kUnsupported) << segment.error().text();
    } else if (auto checked = (*segment)->verify(); checked) {
      ++unseen;
    } else {
      EXPECT_EQ(checked.error().code, Errc::kCorrupt);
      const Segments damaged_segments{std::shared_ptr<const Segment>(Segment::open(file).value())};
      Damage damage;
      for (const char* dataset : {"patient", "staff"}) {
        (void)find_people(damaged_segments, {"", dataset, {}}, damage);
        (void)find_actors(damaged_segments, dataset, 7, {}, damage);
      }
    }
  }
  EXPECT_EQ(unseen, 0U);
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 50) {
    std::ofstream(file, std::ios::binary) << bytes.substr(0, length);
    const auto segment = Segment::open(file);
    ASSERT_FALSE(segment);
    EXPECT_EQ(segment.error().code, Errc::kCorrupt);
  }
  EXPECT_EQ(Segment::open(dir_ / "none.tes").error().code, Errc::kNotFound);
}

TEST_F(SegmentTest, ADamagedSegmentLeavesTheOthersTheirAnswers) {
  const Attribute kind{Grade::kExact, true, 0, 0, "", "", ""};
  SegmentBuilder one(0), two(0);
  const PersonNo anna = 1, bela = 2;
  ASSERT_TRUE(one.add("x", "patient", *one.attribute(kind), 5, {&anna, 1}));
  ASSERT_TRUE(two.add("x", "patient", *two.attribute(kind), 5, {&bela, 1}));
  std::string bytes = one.seal();
  bytes[kHeaderBytes] = static_cast<char>(~bytes[kHeaderBytes]);  // the first chunk; the tables are whole
  const Segments segments{Segment::open(write(bytes)).value(), Segment::open(write(two.seal())).value()};
  Damage damage;
  const auto found = find_people(segments, {"x", "", {}}, damage);
  EXPECT_EQ(damage.errors.size(), 1U);
  EXPECT_EQ(numbers(found.at("patient").everyone()), std::vector<PersonNo>{2});
}

}  // namespace
}  // namespace tocsin::storage::exposure
