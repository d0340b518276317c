// The people of a dataset in memory: who was in it when, under which number, and which of them have a given
// value in a registered column. What RegisterStore loads and saves, and what exposure asks.
//
// Containment is the rule of this type: whatever is uncertain makes a person stay longer, match more, count
// more; never less. A person's attribute values are kept as keyed hashes (the values are in the vault).
// Ids are in memory only while the process runs. Not thread-safe: belongs to the thread that detects.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "rules/base/time.hpp"
#include "storage/exposure/grade.hpp"
#include "storage/value_shape.hpp"

namespace tocsin::storage {

inline constexpr Time kAlways = Time::min();  // "since before we know"
inline constexpr Time kForever = Time::max();

// A stretch of time, both ends inside.
struct Span {
  Time from = kAlways;
  Time to = kForever;
  [[nodiscard]] bool meets(const Span& other) const { return from <= other.to && other.from <= to; }
};

// A keyed hash of (column, value); equal values have equal hashes.
using ValueHash = std::array<std::uint8_t, 16>;
using HashValue = std::function<ValueHash(std::string_view dataset, std::string_view column, std::string_view value)>;

// A hash for runs without keys (replay of a file): keyed with random bytes of this process.
[[nodiscard]] HashValue process_hash();

// The form of a value under which "equal in SQL" surely implies "equal here": trimmed, ASCII case folded,
// integers without sign and leading zeros. It may make more values equal than SQL does, never fewer.
[[nodiscard]] std::string comparable(std::string_view value);

class People {
 public:
  struct Entry {
    std::string id;         // empty once erased
    Span valid;
    bool listed = false;    // from a register or an INSERT; false: only seen in an event
    bool attributes_known = false;
    std::string country, language;
  };
  using Attributes = std::vector<std::pair<std::string, std::string>>;  // column, value

  People(std::string dataset, HashValue hash) : dataset_(std::move(dataset)), hash_(std::move(hash)) {}

  [[nodiscard]] const std::string& dataset() const noexcept { return dataset_; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const Entry& at(PersonNo no) const { return entries_.at(no); }
  // True once a register was imported: then key ranges and attributes can be evaluated.
  [[nodiscard]] bool registered() const noexcept { return registered_; }
  // Since when people may be in the dataset whom nobody told us about (COPY FROM, INSERT … SELECT).
  [[nodiscard]] std::optional<Time> incomplete_since() const noexcept { return incomplete_since_; }
  [[nodiscard]] const std::vector<std::string>& columns() const noexcept { return columns_; }
  // The moment that the newest import describes; changes logged before it are already in it.
  [[nodiscard]] Time as_of() const noexcept { return as_of_; }
  void set_as_of(Time t) { as_of_ = t; header_changed_ = true; }
  // Whether ids are integers, so that '042' means 42.
  [[nodiscard]] bool integer_keys() const noexcept { return not_integers_.size() <= ordered_.size(); }

  // Whether every id that a register or an INSERT told is an integer.
  [[nodiscard]] bool only_integers() const;

  // ---- asking
  // Those whose ids a case- and accent-insensitive collation may find equal to `id`; nullopt if that cannot be told.
  [[nodiscard]] std::optional<std::vector<PersonNo>> similar(std::string_view id) const;
  [[nodiscard]] std::optional<PersonNo> find(std::string_view id) const;
  // People in the dataset at any moment of `when`.
  [[nodiscard]] std::uint64_t count(const Span& when) const;
  [[nodiscard]] std::vector<PersonNo> everyone(const Span& when) const;
  // Those with low <= id <= high as integers (ids that are not integers are always in); nullopt if the ids of
  // this dataset are not integers, so that a range cannot be evaluated. Whoever was in at any moment of `when`.
  [[nodiscard]] std::optional<std::vector<PersonNo>> between(std::optional<std::int64_t> low,
                                                             std::optional<std::int64_t> high, const Span& when) const;
  // Those whose registered `column` had one of `values` at any moment of `when`, and those whose attributes are
  // not known; nullopt if the column is not registered or has been changed in a way that could not be followed.
  [[nodiscard]] std::optional<std::vector<PersonNo>> having(std::string_view column,
                                                            const std::vector<std::string>& values,
                                                            const Span& when) const;

  // Says of a value ("" = none) whether a condition may hold and may fail.
  using Judge = std::function<Verdict(std::string_view value)>;
  // Those for whom the condition on `column` may hold (`wanted`) or may fail (not `wanted`) at any moment of `when`, and
  // those whose values are not known; nullopt as for having().
  [[nodiscard]] std::optional<std::vector<PersonNo>> judged(std::string_view column, bool wanted, const Judge& judge,
                                                            const Span& when) const;
  // As judged(… true …), for a condition that MySQL finds true only of values that may be equal to one of `texts`, which
  // are plain (mysql_value.hpp): only those are looked at.
  [[nodiscard]] std::optional<std::vector<PersonNo>> judged_equals(std::string_view column, const std::vector<std::string>& texts,
                                                                   const Judge& judge, const Span& when) const;
  // How many different values the column has.
  [[nodiscard]] std::size_t different(std::string_view column) const;
  // What the column's values look like; nullptr if that is not known of all of them.
  [[nodiscard]] const ValueShape* shape(std::string_view column) const;

  // ---- learning. Each change is remembered until saved().
  // The number of a person named by an event; makes one that is only "seen" if nobody knows the id.
  PersonNo see(std::string_view id);
  // A person is (again) in the dataset. `complete` = every registered column is in `attributes` or is empty.
  PersonNo add(std::string_view id, Time from, const Attributes& attributes, bool complete);
  // Values change at `when`; old ones go on matching until `until` (a commit may come later than its log line).
  void change(PersonNo no, Time when, Time until, const Attributes& attributes);
  // What a newer register says about someone known: values that differ change some time before `as_of`, so old
  // and new ones both match until then. True if anything differs.
  bool update(PersonNo no, Time as_of, const Attributes& attributes);
  // Values change in a way that is not known: the person matches every condition on attributes from now on.
  void obscure(PersonNo no);
  void remove(PersonNo no, Time until);
  // A column was changed for people who could not be told apart.
  void taint(std::string_view column);
  void mark_incomplete(Time since);

  // ---- the other side: RegisterStore
  struct Change {
    PersonNo no = 0;
    bool is_new = false;
    Attributes fields;  // plain values to be put into the vault; empty = none
  };
  struct AttributeRow {
    PersonNo no;
    std::string column;
    ValueHash hash;
    Span valid;
  };
  [[nodiscard]] std::vector<PersonNo> changed() const;  // numbers whose rows must be written, each once
  [[nodiscard]] const std::vector<Change>& fields() const { return fields_; }
  [[nodiscard]] const std::vector<AttributeRow>& attribute_rows() const { return attribute_rows_; }  // new, closed
  [[nodiscard]] bool header_changed() const { return header_changed_; }
  void saved();  // all of the above is on disk
  void restore(Entry entry);                                     // in the order of numbers
  void restore_attribute(const AttributeRow& row);
  // The texts of a person's values, now and before, after all attributes were restored; then, once, that these were all.
  // A value some holder of which brought no text counts as unknown, even if others brought one: it may be written otherwise.
  void restore_texts(PersonNo no, const Attributes& texts);
  void texts_restored();
  void set_header(bool registered, std::vector<std::string> columns, std::vector<std::string> tainted,
                  std::optional<Time> incomplete_since);
  [[nodiscard]] std::vector<std::string> tainted() const;
  void forget(PersonNo no);  // the id and attributes go from memory
  void set_place(PersonNo no, std::string country, std::string language);

 private:
  struct Held {
    PersonNo no;
    Span valid;
  };
  struct HashOfHash {
    std::size_t operator()(const ValueHash& h) const noexcept;
  };
  void index_key(PersonNo no);
  void touch(PersonNo no);
  void hold(PersonNo no, const std::string& column, std::string_view value, const Span& valid);
  // Whether conditions on the column can be evaluated.
  [[nodiscard]] bool usable(std::string_view column) const;
  [[nodiscard]] bool is_column(std::string_view column) const;
  // The texts behind one hash: as they were told, so several where they differ in case or blanks only. False if that was
  // the only one already, for each of its holders.
  bool keep_text(const std::string& column, const ValueHash& hash, std::string_view value);

  std::string dataset_;
  HashValue hash_;
  bool registered_ = false;
  std::vector<std::string> columns_;
  std::unordered_set<std::string> tainted_;
  std::optional<Time> incomplete_since_;
  Time as_of_ = kAlways;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, PersonNo> by_id_;
  mutable std::vector<std::pair<std::int64_t, PersonNo>> ordered_;  // integer keys, sorted when asked
  mutable bool ordered_sorted_ = true;
  std::vector<PersonNo> not_integers_;
  mutable std::unordered_map<std::string, std::vector<PersonNo>> folded_;  // trimmed ids in lower case, made when asked
  mutable std::vector<PersonNo> not_ascii_;
  mutable std::size_t folded_to_ = 0;    // entries that are in folded_
  std::vector<PersonNo> bounded_;        // people whose validity has an end or a known beginning
  std::unordered_set<PersonNo> is_bounded_;
  std::unordered_set<PersonNo> unknown_attributes_;
  std::map<std::string, std::unordered_map<ValueHash, std::vector<Held>, HashOfHash>, std::less<>> held_;
  std::unordered_map<PersonNo, std::vector<std::pair<std::string, ValueHash>>> current_;
  struct Texts {
    std::unordered_map<ValueHash, std::vector<std::string>, HashOfHash> by_hash;
    ValueShape shape;
    // By mysql_fold(), those that are not plain by themselves; made when asked, may hold values that are gone.
    mutable std::unordered_map<std::string, std::vector<ValueHash>> folded;
    mutable std::vector<ValueHash> not_plain;
    mutable bool is_folded = false;
    void fold(const ValueHash& hash, std::string_view value) const;
  };
  std::map<std::string, Texts, std::less<>> texts_;  // kept in the vault only, with each person, as ids are
  using ColumnHash = std::pair<std::string, ValueHash>;
  std::map<std::string, std::unordered_set<ValueHash, HashOfHash>, std::less<>> without_text_;  // of some holder
  std::unordered_map<PersonNo, std::vector<ColumnHash>> ended_;  // values of before, while texts are restored
  std::vector<PersonNo> changed_;
  std::vector<Change> fields_;
  std::vector<AttributeRow> attribute_rows_;
  bool header_changed_ = false;
};

// All datasets. One object per process, shared by exposure and the stores.
class Registers {
 public:
  explicit Registers(HashValue hash) : hash_(std::move(hash)) {}
  [[nodiscard]] People& of(std::string_view dataset);  // made if it is new
  [[nodiscard]] const People* find(std::string_view dataset) const;
  [[nodiscard]] People* find(std::string_view dataset);
  [[nodiscard]] const std::map<std::string, std::unique_ptr<People>, std::less<>>& all() const { return all_; }

 private:
  HashValue hash_;
  std::map<std::string, std::unique_ptr<People>, std::less<>> all_;
};

}  // namespace tocsin::storage
