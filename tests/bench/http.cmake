add_executable(bench_http ${CMAKE_CURRENT_LIST_DIR}/http_bench.cpp)
target_link_libraries(bench_http PRIVATE tocsin_flags tocsin_net tocsin_api_web benchmark::benchmark_main Threads::Threads)
