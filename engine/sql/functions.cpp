// Sorted tables; the names are those of PostgreSQL 15's documentation, chapter 9.
#include "engine/sql/functions.hpp"

#include <algorithm>
#include <array>

namespace tocsin::engine::sql {
namespace {

constexpr std::array<std::string_view, 31> kStatistics = {
    "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "corr", "count", "covar_pop", "covar_samp",
    "every", "pg_relation_size", "pg_size_pretty", "pg_total_relation_size", "regr_avgx", "regr_avgy", "regr_count",
    "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "setval", "stddev", "stddev_pop",
    "stddev_samp", "sum", "var_pop", "var_samp", "variance"};

constexpr std::array<std::string_view, 2> kValues = {"max", "min"};

constexpr std::array<std::string_view, 6> kRankings = {
    "cume_dist", "dense_rank", "ntile", "percent_rank", "rank", "row_number"};

constexpr std::array<std::string_view, 84> kScalars = {
    "abs", "age", "ascii", "bit_length", "btrim", "cbrt", "ceil", "ceiling", "char_length", "character_length",
    "chr", "clock_timestamp", "concat", "concat_ws", "convert_from", "convert_to", "current_setting", "date",
    "date_bin", "date_part", "date_trunc", "decode", "div", "encode", "exp", "extract", "floor", "format",
    "greatest", "initcap", "isfinite", "json_build_array", "json_build_object", "json_extract_path_text",
    "json_strip_nulls", "jsonb_build_array", "jsonb_build_object", "jsonb_extract_path_text", "jsonb_pretty",
    "jsonb_set", "least", "left", "length", "ln", "log", "lower", "lpad", "ltrim", "make_date", "make_interval",
    "make_timestamp", "md5", "mod", "now", "nullif", "octet_length", "overlay", "position", "power", "quote_literal",
    "random", "regexp_replace", "repeat", "replace", "reverse", "right", "round", "row_to_json", "rpad", "rtrim",
    "sha256", "sign", "split_part", "sqrt", "strpos", "substr", "substring", "timezone", "to_char", "to_date",
    "to_json", "to_jsonb", "to_timestamp", "upper"};

constexpr std::array<std::string_view, 16> kElsewhere = {
    "dblink", "dblink_fetch", "dblink_get_result", "get_raw_page", "heap_page_items", "lo_export", "lo_get", "loread", "pg_get_wal_records_info",
    "pg_logical_slot_get_binary_changes", "pg_logical_slot_get_changes", "pg_logical_slot_peek_binary_changes", "pg_logical_slot_peek_changes",
    "pg_read_binary_file", "pg_read_file", "tuple_data_split"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

FunctionKind function_kind(std::string_view name) noexcept {
  if (holds(kStatistics, name)) return FunctionKind::kStatistic;
  if (holds(kValues, name)) return FunctionKind::kValue;
  if (holds(kRankings, name)) return FunctionKind::kRanking;
  if (holds(kScalars, name)) return FunctionKind::kScalar;
  return FunctionKind::kUnknown;
}

bool reads_elsewhere(std::string_view name) noexcept { return holds(kElsewhere, name); }

}  // namespace tocsin::engine::sql
