# What others can use: the floor `rules` as one static library with its headers and a CMake package, so that
#   find_package(tocsin) ; target_link_libraries(app tocsin::rules)
# works from an installed tree. Component `library`; the program is component `program`.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# One archive of all modules of the floor. Warnings and sanitizers of this build are not handed on.
function(tocsin_library name)
  cmake_parse_arguments(ARG "" "" "MODULES;LINKS;PRIVATE_LINKS" ${ARGN})
  list(TRANSFORM ARG_MODULES REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(${name} STATIC ${objects})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME rules OUTPUT_NAME tocsin_rules)
  target_compile_features(${name} INTERFACE cxx_std_20)
  target_include_directories(${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tocsin>)
  target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  install(TARGETS ${name} EXPORT tocsin ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/rules DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tocsin COMPONENT library
    FILES_MATCHING PATTERN "*.hpp" PATTERN packs EXCLUDE)
  install(EXPORT tocsin NAMESPACE tocsin:: FILE tocsinTargets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tocsin
    COMPONENT library)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/ops/cmake/tocsinConfig.cmake.in ${PROJECT_BINARY_DIR}/tocsinConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tocsin)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/tocsinConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/tocsinConfig.cmake ${PROJECT_BINARY_DIR}/tocsinConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tocsin COMPONENT library)
endfunction()
