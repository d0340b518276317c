add_executable(bench_storage ${CMAKE_CURRENT_LIST_DIR}/storage_bench.cpp)
target_link_libraries(bench_storage PRIVATE tocsin_flags tocsin_ledger tocsin_vault benchmark::benchmark_main Threads::Threads)
