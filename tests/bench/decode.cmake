add_executable(bench_decode ${CMAKE_CURRENT_LIST_DIR}/decode_bench.cpp)
target_link_libraries(bench_decode PRIVATE tocsin_flags tocsin_intake benchmark::benchmark benchmark::benchmark_main)
