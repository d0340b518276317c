tocsin_bench(bench_correlation SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/bench/correlation_bench.cpp LINKS tocsin_sigma tocsin_json_event)
