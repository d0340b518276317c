tocsin_bench(bench_sigma SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/bench/sigma_bench.cpp LINKS tocsin_sigma tocsin_json_event)
