# How a folder becomes a target: tocsin_module(NAME SOURCES … LINKS …) and tocsin_test(NAME SOURCES … LINKS …).

# Warnings and sanitizers live here and nowhere else.
add_library(tocsin_flags INTERFACE)
target_compile_options(tocsin_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wundef
  -fstack-protector-strong $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2> -D_GLIBCXX_ASSERTIONS)
target_compile_options(tocsin_flags INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers>
  # -Wrestrict of g++ 12 is wrong about std::string + at -O2 (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release,RelWithDebInfo>>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-missing-field-initializers -fno-sanitize=function>)
option(TOCSIN_WERROR "warnings are errors" ON)
if(TOCSIN_WERROR)
  target_compile_options(tocsin_flags INTERFACE -Werror)
endif()
if(TOCSIN_SANITIZE)
  target_compile_options(tocsin_flags INTERFACE -fsanitize=${TOCSIN_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(tocsin_flags INTERFACE -fsanitize=${TOCSIN_SANITIZE})
  if(TOCSIN_SANITIZE MATCHES thread)
    target_compile_options(tocsin_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan> -DBOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(TOCSIN_FUZZ)
  target_compile_options(tocsin_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(tocsin_flags INTERFACE -fsanitize=address,undefined)
endif()
target_include_directories(tocsin_flags INTERFACE ${PROJECT_SOURCE_DIR})
# Assertions are for programmers' errors and stay on in release.
foreach(config RELEASE RELWITHDEBINFO)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_${config} "${CMAKE_CXX_FLAGS_${config}}")
endforeach()

# A static library of one folder. LINKS are public: what its headers include.
function(tocsin_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC tocsin_flags tl::expected ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# A GoogleTest binary, one ctest entry per binary. LABELS as for ctest -L. Paths of the source tree are in
# TOCSIN_SOURCE_DIR; material outside the repository is looked for by the test and skipped if absent.
function(tocsin_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT TOCSIN_TESTS)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tocsin_flags ${ARG_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE TOCSIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "unit;${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# A libFuzzer target in a TOCSIN_FUZZ build; everywhere else the same file becomes a test that replays its
# corpus (tests/fuzz/corpus/NAME).
function(tocsin_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tocsin_flags ${ARG_LINKS})
  if(TOCSIN_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
    add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(${name} PROPERTIES LABELS "fuzz-corpus" TIMEOUT 300)
  endif()
endfunction()

# A Google Benchmark program; ops/bench runs them all and prints one table.
function(tocsin_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tocsin_flags ${ARG_LINKS} benchmark::benchmark_main)
  target_compile_definitions(${name} PRIVATE TOCSIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endfunction()
