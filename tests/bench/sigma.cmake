tocsin_bench(bench_sigma SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/bench/sigma_bench.cpp ${CMAKE_CURRENT_SOURCE_DIR}/bench/sigma_events.cpp
  LINKS tocsin_sigma tocsin_json_event simdjson::simdjson)
