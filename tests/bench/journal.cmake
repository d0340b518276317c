add_executable(bench_journal ${CMAKE_CURRENT_LIST_DIR}/journal_bench.cpp)
target_link_libraries(bench_journal PRIVATE tocsin_flags tocsin_journal benchmark::benchmark_main Threads::Threads)
